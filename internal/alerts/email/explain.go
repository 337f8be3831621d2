package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/outbound"
)

// enhanced is a status code of RFC 3463 at the beginning of a reply: numbers only.
var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// hints are what to do about replies that people meet.
var hints = map[int]string{
	421: "it is busy",
	450: "the mailbox is busy", 451: "it has a trouble of its own, or asks unknown senders to come again", 452: "it is full",
	454: "it cannot check the password now",
	530: "it wants a user and a password", 534: "it wants another way to sign in", 535: "the user or the password is wrong",
	550: "there is no such mailbox, or the sender is not allowed", 552: "the mailbox is full", 553: "it does not like an address",
	554: "it does not want this mail, or us",
}

// explain says what went wrong without a word of the server's, which may repeat what
// it was told. A 4xx is to be tried again, a 5xx is final (RFC 5321, 4.2.1). Ended
// tells that the mail was sent whole: without an answer it may be there.
func explain(stage string, err error, ended bool) error {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		text := fmt.Sprintf("email: %s: the server answered %d", stage, reply.Code)
		if code := enhanced.FindString(reply.Msg); code != "" {
			text += " " + code
		}
		if hint := hints[reply.Code]; hint != "" {
			text += ": " + hint
		}
		if reply.Code >= 500 && reply.Code < 600 {
			return alerts.Refused(errors.New(text))
		}
		return errors.New(text)
	}
	var op *net.OpError
	if errors.Is(err, outbound.ErrBlocked) || errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("email: %s: %w", stage, err)
	}
	out := fmt.Errorf("email: %s: %s", stage, cause(err))
	if ended {
		return alerts.Unsure(out)
	}
	return out
}

func cause(err error) string {
	var slow net.Error
	text := err.Error()
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled.Error()
	case errors.As(err, &slow) && slow.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, net.ErrClosed):
		return "no answer in time"
	case strings.Contains(text, "support STARTTLS"):
		return "the server offers no STARTTLS; write tls: implicit, or none where mails may travel in the clear"
	case strings.Contains(text, "AUTH"), strings.Contains(text, "unencrypted connection"):
		return "the server offers no way to sign in that is known here"
	case strings.Contains(text, "x509: "), strings.Contains(text, "tls: "):
		return "the server's certificate is not trusted, or it speaks no TLS here; see ca_file and tls"
	case errors.Is(err, errTalkative):
		return errTalkative.Error()
	}
	return "the connection broke, or this is no mail server"
}
