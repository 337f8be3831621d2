package catalog

import (
	"bytes"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/chart"
)

// newTelegram is a chat with pictures of the ladder.
func newTelegram(s alerts.Settings) (*telegram.Notifier, error) {
	n, err := telegram.New(s)
	if err != nil {
		return nil, err
	}
	n.Draw = DrawSketch
	return n, nil
}

// DrawSketch is a sketch as a PNG.
func DrawSketch(s alerts.Sketch) ([]byte, error) {
	in := chart.Sketch{Axis: s.Axis, Spot: s.Spot, Level: s.Level, Crossed: s.Crossed, AtRiskUSD: s.AtRiskUSD}
	for _, b := range s.Bars {
		in.Bars = append(in.Bars, chart.SketchBar(b))
	}
	var out bytes.Buffer
	err := chart.SketchPNG(&out, in)
	return out.Bytes(), err
}
