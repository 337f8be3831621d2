// Package email sends alerts by SMTP.
//
// A library composes the mail, encrypts and signs in. The transaction is ours: it
// decides who is told again, and whether the mail may be there already.
package email

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"strconv"
	"strings"
	"sync"

	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	Server       Server        `yaml:"server,required" doc:"the mail server, host or host:port"`
	TLS          Encryption    `yaml:"tls" default:"starttls" doc:"starttls (port 587), implicit (port 465) or none (port 25, without a password)"`
	User         string        `yaml:"user" doc:"the account's name, where the server wants one"`
	Password     config.Secret `yaml:"password" doc:"the account's password"`
	From         Address       `yaml:"from,required" doc:"the sender, such as liqwatch@example.org or Risk <risk@example.org>"`
	To           []Address     `yaml:"to,required" doc:"the recipients; each is told once, though others are refused"`
	CAFile       string        `yaml:"ca_file" doc:"certificates in PEM to trust instead of the system's, for a server with a certificate of your own"`
	AllowPrivate bool          `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Server is host or host:port.
type Server struct{ Host, Port string }

// UnmarshalText reads host or host:port.
func (s *Server) UnmarshalText(b []byte) error {
	text := string(b)
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.Trim(text, "[]"), ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); host == "" || strings.ContainsAny(host, " /@<>") || port != "" && (err != nil || n == 0) {
		return fmt.Errorf("server %q: want a host or host:port, such as smtp.example.org:587", text)
	}
	*s = Server{host, port}
	return nil
}

// Encryption is how the connection is protected.
type Encryption string

// The ways of protection.
const (
	StartTLS Encryption = "starttls"
	Implicit Encryption = "implicit"
	None     Encryption = "none"
)

var ports = map[Encryption]string{StartTLS: "587", Implicit: "465", None: "25"}

// UnmarshalText reads starttls, implicit or none.
func (e *Encryption) UnmarshalText(b []byte) error {
	if _, ok := ports[Encryption(b)]; !ok {
		return fmt.Errorf("tls %q: want starttls, implicit or none", b)
	}
	*e = Encryption(b)
	return nil
}

// Address is one mail address, with or without a name before it.
type Address struct{ mail.Address }

// UnmarshalText reads one address.
func (a *Address) UnmarshalText(b []byte) error {
	parsed, err := mail.ParseAddress(string(b))
	if err != nil || strings.ContainsAny(parsed.Address, " \r\n\t<>\"") || strings.ContainsAny(parsed.Name, "\r\n") {
		return fmt.Errorf("%q is not one mail address; write risk@example.org or Risk <risk@example.org>", b)
	}
	a.Address = *parsed
	return nil
}

// Notifier sends mails from one sender to its recipients.
type Notifier struct {
	server         Server
	encryption     Encryption
	trust          *tls.Config
	user, password string
	from           mail.Address
	to             []mail.Address
	allowPrivate   bool

	mu   sync.Mutex
	told map[string]map[string]bool // message, recipient: taken already, while others were not
}

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	n := &Notifier{
		server: s.Server, encryption: s.TLS, user: s.User, password: s.Password.Reveal(), from: s.From.Address,
		allowPrivate: s.AllowPrivate, told: map[string]map[string]bool{},
		trust: &tls.Config{ServerName: s.Server.Host, MinVersion: tls.VersionTLS12},
	}
	if n.server.Port == "" {
		n.server.Port = ports[s.TLS]
	}
	seen := map[string]bool{}
	for _, a := range s.To {
		if !seen[a.Address.Address] {
			n.to = append(n.to, a.Address)
		}
		seen[a.Address.Address] = true
	}
	switch {
	case len(n.to) == 0:
		return nil, errors.New("email: to: name at least one recipient")
	case (n.user == "") != s.Password.IsZero():
		return nil, errors.New("email: user: a user has a password, and a password a user")
	case n.user != "" && s.TLS == None:
		return nil, errors.New("email: tls: none would send the password in the clear; write starttls or implicit")
	case s.CAFile == "":
		return n, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("email: ca_file: %w", err)
	}
	n.trust.RootCAs = x509.NewCertPool()
	if !n.trust.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("email: ca_file: there is no certificate in %s", s.CAFile)
	}
	return n, nil
}
