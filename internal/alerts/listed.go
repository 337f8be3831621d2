package alerts

import (
	"errors"
	"time"
)

// ErrNoAlert: there is no alert of that id.
var ErrNoAlert = errors.New("no such alert")

// Listed is an alert with what became of it.
type Listed struct {
	ID         string
	Created    time.Time
	Alert      Alert
	Message    Message
	Deliveries []ListedDelivery
	// Acknowledged is when somebody took note; zero when nobody did.
	Acknowledged   time.Time
	AcknowledgedBy string
}

// ListedDelivery is what became of an alert at one notifier.
type ListedDelivery struct {
	Notifier string
	Fate     Fate
	Attempts int
	Settled  time.Time // zero while pending
	Next     time.Time // when it is tried next, of a pending one
	Reason   string    // why the last attempt did not succeed; without secrets
	Digest   string    // the alert that stands for it, of a [Digested] one
}
