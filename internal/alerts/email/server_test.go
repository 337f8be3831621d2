package email

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/config"
)

// letter is one mail as the server took it.
type letter struct {
	from string
	to   []string
	raw  string
	tls  bool
}

// server is a real SMTP server that keeps what it takes, and refuses what it is told to.
type server struct {
	addr, ca string

	mu      sync.Mutex
	letters []letter
	signIns []string
	mail    error            // the answer to MAIL FROM
	rcpt    map[string]error // the answer to RCPT TO, by address
	data    error            // the answer to the mail
	hangUp  bool             // take the mail, then cut the connection
	slow    time.Duration    // before the answer to the mail
}

func start(t testing.TB, way Encryption, auth bool) *server {
	t.Helper()
	// httptest's own certificate is good for 127.0.0.1.
	web := httptest.NewTLSServer(http.NotFoundHandler())
	conf := &tls.Config{Certificates: web.TLS.Certificates}
	s := &server{ca: filepath.Join(t.TempDir(), "ca.pem"), rcpt: map[string]error{}}
	require.NoError(t, os.WriteFile(s.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	web.Close()

	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		base := &session{server: s, conn: c}
		if auth {
			return &authSession{base}, nil
		}
		return base, nil
	}))
	srv.Domain, srv.ErrorLog = "mail.example.org", slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	srv.MaxMessageBytes, srv.MaxLineLength, srv.ReadTimeout = 1<<20, 1000, 10*time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.addr = l.Addr().String()
	switch way {
	case StartTLS:
		srv.TLSConfig = conf
	case Implicit:
		l = tls.NewListener(l, conf)
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

// got are the mails taken so far.
func (s *server) got() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.letters)
}

type session struct {
	*server
	conn *smtp.Conn
	letter
	signedIn bool
}

func (s *session) Reset()        { s.letter = letter{} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from = from
	return s.server.mail
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.rcpt[to]; err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	s.mu.Lock()
	answer, slow, hangUp := s.data, s.slow, s.hangUp
	if answer == nil {
		_, s.letter.tls = s.conn.TLSConnectionState()
		s.letter.raw = raw.String()
		s.letters = append(s.letters, s.letter)
	}
	s.mu.Unlock()
	time.Sleep(slow)
	if hangUp {
		_ = s.conn.Conn().Close()
	}
	return answer
}

// authSession wants a user and a password first.
type authSession struct{ *session }

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.signIns = append(s.signIns, user)
		if password != "hunter2" {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no, " + password + " is wrong"}
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *authSession) Mail(from string, o *smtp.MailOptions) error {
	if !s.signedIn {
		return smtpError(530, "sign in first")
	}
	return s.session.Mail(from, o)
}

func build(t testing.TB, values map[string]any) (*Notifier, error) {
	t.Helper()
	s, err := config.FromMap("test", values)
	require.NoError(t, err)
	return New(s)
}

// to makes a notifier for the server; changes come over the usual settings.
func (s *server) notifier(t testing.TB, changes map[string]any) *Notifier {
	t.Helper()
	values := map[string]any{
		"server": s.addr, "tls": "none", "from": "Risk <risk@example.org>", "to": []string{"a@example.org", "B <b@example.org>"}, "allow_private": true,
	}
	for k, v := range changes {
		values[k] = v
	}
	n, err := build(t, values)
	require.NoError(t, err)
	return n
}

func smtpError(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: strings.TrimSpace(text)}
}
