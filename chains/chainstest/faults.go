package chainstest

import (
	"net/http"
	"time"
)

// Faults are ways of not answering, by name. A fault reports true when it has
// taken over the connection.
var Faults = map[string]func(n *Node, w http.ResponseWriter, r *http.Request) bool{
	"hang": func(n *Node, _ http.ResponseWriter, r *http.Request) bool {
		n.wait(r, time.Hour)
		return true
	},
	"reset": func(_ *Node, w http.ResponseWriter, _ *http.Request) bool {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close()
		}
		return true
	},
	"drip": func(n *Node, w http.ResponseWriter, r *http.Request) bool {
		for n.wait(r, 100*time.Millisecond) {
			if _, err := w.Write([]byte(" ")); err != nil {
				break
			}
			w.(http.Flusher).Flush()
		}
		return true
	},
	"500":         status(http.StatusInternalServerError, "oops"),
	"502":         status(http.StatusBadGateway, "<html>bad gateway</html>"),
	"503":         status(http.StatusServiceUnavailable, ""),
	"401":         status(http.StatusUnauthorized, `{"error":"invalid api key"}`),
	"403":         status(http.StatusForbidden, `{"Error":"The key exceeds the frequency limit(15), and the query server is suspended for 1 s, exceeded the allowed_rps(15)"}`),
	"429":         status(http.StatusTooManyRequests, ""),
	"404":         status(http.StatusNotFound, "no such path"),
	"redirect":    redirect,
	"loose error": status(http.StatusOK, `{"Error":"this node is lack of computing resources"}`),
}

func status(code int, body string) func(*Node, http.ResponseWriter, *http.Request) bool {
	return func(_ *Node, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
		return true
	}
}

func redirect(_ *Node, w http.ResponseWriter, r *http.Request) bool {
	http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
	return true
}
