package alerts

// sketch is the ladder for an alert about a level. An alert that a price went away
// has none: there is nothing to see.
func (o Observation) sketch(m move) *Sketch {
	if o.Sketch == nil || m.kind == KindRearmed {
		return nil
	}
	s := *o.Sketch // the bars are shared, and never changed
	s.Level, s.AtRiskUSD, s.Crossed = m.after.Level, m.after.Ahead.AtRiskUSD.Round(0), m.kind == KindCrossing
	return &s
}
