package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	mail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/outbound"
)

const (
	timeout = 20 * time.Second // for the whole conversation
	maxRead = 1 << 20          // bytes that the server may say in it
)

// Limits are a mailbox's: what comes in a burst is one mail.
func (*Notifier) Limits() alerts.Limits {
	return alerts.Limits{PerMinute: 10, Gap: time.Second, DigestOver: 5}
}

// Send hands the mail to the server, once. A recipient that was taken is not told
// again while others are repeated.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	raw, err := n.compose(m)
	if err != nil {
		return alerts.Refused(fmt.Errorf("email: %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := n.dial(ctx)
	if err != nil {
		return explain("connect", err, false)
	}
	defer func() { _ = c.Close() }()
	if err := n.transact(c, m.ID, raw); err != nil {
		return err
	}
	// The mail is taken; how the server says goodbye changes nothing.
	_ = c.Quit()
	return nil
}

// dial connects, encrypts and signs in. What is connected is closed when ctx ends.
func (n *Notifier) dial(ctx context.Context) (*smtp.Client, error) {
	port, err := strconv.Atoi(n.server.Port)
	if err != nil {
		return nil, fmt.Errorf("read the port: %w", err)
	}
	policy := mail.TLSMandatory
	if n.encryption == None {
		policy = mail.NoTLS
	}
	opts := []mail.Option{
		mail.WithPort(port), mail.WithTimeout(timeout), mail.WithTLSConfig(n.trust), mail.WithTLSPolicy(policy),
		mail.WithDialContextFunc(func(dialCtx context.Context, network, address string) (net.Conn, error) {
			return n.connect(ctx, dialCtx, network, address)
		}),
	}
	if n.encryption == Implicit {
		opts = append(opts, mail.WithSSL())
	}
	if n.user != "" {
		opts = append(opts, mail.WithUsername(n.user), mail.WithPassword(n.password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	client, err := mail.NewClient(n.server.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("make the client: %w", err)
	}
	return client.DialToSMTPClientWithContext(ctx)
}

func (n *Notifier) connect(ctx, dialCtx context.Context, network, address string) (net.Conn, error) {
	conn, err := outbound.Dialer(n.allowPrivate).DialContext(dialCtx, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	bounded := &boundedConn{Conn: conn, left: maxRead}
	if n.encryption != Implicit {
		return bounded, nil
	}
	secure := tls.Client(bounded, n.trust)
	if err := secure.HandshakeContext(dialCtx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// boundedConn ends after so many bytes, since SMTP itself bounds no answer.
type boundedConn struct {
	net.Conn
	left int
}

var errTalkative = errors.New("the server says too much")

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTalkative
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// transact sends one mail to all who have not been told.
func (n *Notifier) transact(c *smtp.Client, id string, raw []byte) error {
	if err := c.Mail("<" + n.from.Address + ">"); err != nil {
		return explain("MAIL FROM", err, false)
	}
	var worst error
	var taken []string
	for i, to := range n.to {
		if n.was(id, to.Address) {
			continue
		}
		if err := c.Rcpt("<" + to.Address + ">"); err != nil {
			worst = worse(worst, explain(fmt.Sprintf("recipient %d of %d", i+1, len(n.to)), err, false))
			continue
		}
		taken = append(taken, to.Address)
	}
	if len(taken) > 0 {
		if err := deliver(c, raw); err != nil {
			return err
		}
		n.note(id, taken, worst == nil)
	}
	return worst
}

func deliver(c *smtp.Client, raw []byte) error {
	w, err := c.Data()
	if err != nil {
		return explain("DATA", err, false)
	}
	if _, err := w.Write(raw); err != nil {
		return explain("send the mail", err, true)
	}
	// From the final dot on the server may have taken it, whatever we hear.
	if err := w.Close(); err != nil {
		return explain("send the mail", err, true)
	}
	return nil
}

// worse is the error that keeps the message alive: one to retry before one that is final.
func worse(a, b error) error {
	var e *alerts.SendError
	if a == nil || errors.As(a, &e) && e.Permanent {
		return b
	}
	return a
}

func (n *Notifier) was(id, to string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.told[id][to]
}

// maxTold bounds what is remembered of messages that some took and some did not.
const maxTold = 1000

func (n *Notifier) note(id string, taken []string, done bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if done {
		delete(n.told, id)
		return
	}
	if len(n.told) >= maxTold {
		clear(n.told)
	}
	if n.told[id] == nil {
		n.told[id] = map[string]bool{}
	}
	for _, to := range taken {
		n.told[id][to] = true
	}
}
