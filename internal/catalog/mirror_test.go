package catalog

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// smtpMirror is a mail server over TLS that refuses every sign-in and repeats what it
// was told, decoded and as it came.
func smtpMirror(t testing.TB) string {
	t.Helper()
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	cert := srv.TLS.Certificates
	srv.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: cert})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go mirrorSMTP(conn)
		}
	}()
	return "smtp://" + l.Addr().String()
}

func mirrorSMTP(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	fmt.Fprint(conn, "220 mirror ESMTP\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "EHLO") {
			fmt.Fprint(conn, "250-mirror\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN\r\n")
			continue
		}
		words := strings.Fields(line)
		decoded, _ := base64.StdEncoding.DecodeString(words[len(words)-1])
		fmt.Fprintf(conn, "535 5.7.8 %s %s\r\n", line, strings.ReplaceAll(string(decoded), "\x00", " "))
	}
}
