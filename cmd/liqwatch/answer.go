package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
)

// The commands by which people answer alerts ask the watcher that is running: a
// store has one writer.
func answerCommands() []*cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag {
		return append([]cli.Flag{configFlag(), &cli.StringFlag{Name: "url", Usage: "the page of the watcher; by default where the configuration has it listen"}}, more...)
	}
	name := &cli.StringFlag{Name: "name", Usage: "who you are, for the others to see; by default your name on this machine"}
	return []*cli.Command{
		{
			Name: "alerts", Usage: "list the newest alerts of a running watcher, what became of them, and who took note",
			Flags:  flags(&cli.IntFlag{Name: "limit", Value: 20, Usage: "how many, at most 500"}, formatFlag("table", "json")),
			Action: runAlerts,
		},
		{
			Name: "ack", Usage: "take note of an alert: nobody is reminded of it, and nobody else called", ArgsUsage: "ID",
			Flags: flags(name), Action: runAck,
		},
		{
			Name: "mute", Usage: "keep a rule, one of its levels (RULE/LEVEL), or all rules (*) from sending for a time such as 2h, at most 168h", ArgsUsage: "RULE TIME",
			Flags: flags(name), Action: runMute,
		},
		{
			Name: "unmute", Usage: "let a rule send again", ArgsUsage: "RULE",
			Flags: flags(name), Action: runUnmute,
		},
	}
}

// arguments reads exactly so many.
func arguments(cmd *cli.Command, n int) ([]string, error) {
	if cmd.Args().Len() != n {
		return nil, usagef("want %s %s; %s --help shows what there is", cmd.FullName(), cmd.ArgsUsage, cmd.FullName())
	}
	return cmd.Args().Slice(), nil
}

func runAck(ctx context.Context, cmd *cli.Command) error {
	args, err := arguments(cmd, 1)
	if err != nil {
		return err
	}
	w, err := newWatcherAPI(cmd)
	if err != nil {
		return err
	}
	if _, err := w.ask(ctx, http.MethodPost, "/alerts/"+url.PathEscape(args[0])+"/acknowledge", w.named(cmd, nil)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.Root().Writer, "%s is acknowledged\n", args[0])
	return err
}

func runMute(ctx context.Context, cmd *cli.Command) error {
	args, err := arguments(cmd, 2)
	if err != nil {
		return err
	}
	scope, err := alerts.ParseScope(args[0])
	if err != nil {
		return usage(err)
	}
	length, err := time.ParseDuration(args[1])
	if err != nil || length <= 0 || length > alerts.LongestMute {
		return usagef("%q: want a time such as 30m or 2h, at most 168h", args[1])
	}
	w, err := newWatcherAPI(cmd)
	if err != nil {
		return err
	}
	form := w.named(cmd, url.Values{"for": {length.String()}})
	if _, err := w.ask(ctx, http.MethodPost, "/rules/"+url.PathEscape(scope.String())+"/mute", form); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.Root().Writer, "%s is muted for %s\n", scope, length)
	return err
}

func runUnmute(ctx context.Context, cmd *cli.Command) error {
	args, err := arguments(cmd, 1)
	if err != nil {
		return err
	}
	scope, err := alerts.ParseScope(args[0])
	if err != nil {
		return usage(err)
	}
	w, err := newWatcherAPI(cmd)
	if err != nil {
		return err
	}
	if _, err := w.ask(ctx, http.MethodDelete, "/rules/"+url.PathEscape(scope.String())+"/mute", w.named(cmd, nil)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.Root().Writer, "%s is not muted any more\n", scope)
	return err
}

// listedAlert is what the command needs of the API's answer.
type listedAlert struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	Severity   string    `json:"severity"`
	Rule       string    `json:"rule"`
	Title      string    `json:"title"`
	Deliveries []struct {
		Notifier string `json:"notifier"`
		Fate     string `json:"fate"`
	} `json:"deliveries"`
	Acknowledged *struct {
		By string `json:"by"`
	} `json:"acknowledged"`
}

func runAlerts(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "json")
	if err != nil {
		return err
	}
	limit := cmd.Int("limit")
	if limit < 1 || limit > 500 {
		return usagef("--limit %d: want 1 to 500", limit)
	}
	w, err := newWatcherAPI(cmd)
	if err != nil {
		return err
	}
	raw, err := w.ask(ctx, http.MethodGet, "/alerts?limit="+strconv.Itoa(limit), nil)
	if err != nil {
		return err
	}
	if format == "json" {
		var out bytes.Buffer
		if err := json.Indent(&out, raw, "", "  "); err != nil {
			return w.strange(err)
		}
		_, err = fmt.Fprintln(cmd.Root().Writer, strings.TrimSpace(out.String()))
		return err
	}
	var list struct {
		Alerts []listedAlert `json:"alerts"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return w.strange(err)
	}
	t := newTable(cmd.Root().Writer, "TIME", "SEVERITY", "RULE", "ALERT", "TOLD", "ACKNOWLEDGED", "ID")
	for _, a := range list.Alerts {
		var told []string
		for _, d := range a.Deliveries {
			told = append(told, printable(d.Notifier)+" "+printable(d.Fate))
		}
		by := "-"
		if a.Acknowledged != nil {
			by = printable(a.Acknowledged.By)
		}
		t.row(a.Time.UTC().Format("2006-01-02 15:04"), printable(a.Severity), printable(a.Rule), visible(a.Title),
			cmp.Or(strings.Join(told, ", "), "-"), by, printable(a.ID))
	}
	return t.flush()
}

// watcherAPI is the API of a running watcher.
type watcherAPI struct {
	base  string
	token string
	cfg   *config.Config
}

// newWatcherAPI finds the watcher: by --url, or where the configuration has it listen.
func newWatcherAPI(cmd *cli.Command) (*watcherAPI, error) {
	cfg, _, err := loadConfig(cmd)
	if err != nil {
		return nil, err
	}
	w := &watcherAPI{token: cfg.Web.Token.Reveal(), cfg: cfg, base: strings.TrimSuffix(cmd.String("url"), "/")}
	if w.base != "" {
		u, err := url.Parse(w.base)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, usagef("--url %s: want http://HOST:PORT or https://HOST", config.NewURL(w.base))
		}
		return w, nil
	}
	if cfg.Web.Off() {
		return nil, usage(cfg.At("web", "listen").Wrap(errors.New("the watcher has no page to ask: set web.listen to an address, or name another with --url")))
	}
	host, port, err := net.SplitHostPort(cfg.Web.Listen)
	if err != nil {
		return nil, usage(cfg.At("web", "listen").Wrap(err))
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	w.base = "http://" + net.JoinHostPort(host, port)
	return w, nil
}

// named adds who asks.
func (w *watcherAPI) named(cmd *cli.Command, form url.Values) url.Values {
	if form == nil {
		form = url.Values{}
	}
	who := cmd.String("name")
	if who == "" {
		if u, err := user.Current(); err == nil {
			who = u.Username
		}
	}
	form.Set("name", cmp.Or(who, os.Getenv("USER"), "command line"))
	return form
}

// errNoWatcher: nothing answers where the watcher should be.
var errNoWatcher = errors.New("no answer")

// mostAnswer is how much of an answer is read.
const mostAnswer = 64 << 20

// ask asks the API and gives its answer. No error holds the token.
func (w *watcherAPI) ask(ctx context.Context, method, path string, form url.Values) ([]byte, error) {
	if method != http.MethodGet && w.token == "" {
		return nil, usage(w.cfg.At("web").Wrap(errors.New("web.token is not set: without one the watcher lets nobody acknowledge or mute")))
	}
	target := w.base + "/api/v1" + path
	if len(form) > 0 {
		target += "?" + form.Encode()
	}
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return nil, usagef("--url: %s cannot be asked", config.NewURL(w.base))
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, fmt.Errorf("ask the watcher at %s: %w: %w; is liqwatch watch running there?", config.NewURL(w.base), errNoWatcher, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the watcher's answer: %w", err)
	}
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return raw, nil
	}
	return nil, w.refused(res.StatusCode, raw)
}

// refused says what the watcher did not like.
func (w *watcherAPI) refused(status int, raw []byte) error {
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(raw, &said); err != nil || said.Error.Message == "" {
		return w.strange(fmt.Errorf("it answered %d %s", status, http.StatusText(status)))
	}
	err := fmt.Errorf("the watcher says: %s", cut(visible(said.Error.Message), 300))
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return usage(fmt.Errorf("%w; it runs with another web.token than this configuration has", err))
	case http.StatusNotFound, http.StatusBadRequest:
		return usage(err)
	}
	return failedError{err}
}

// cut shortens a text.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

func (w *watcherAPI) strange(err error) error {
	return failedError{fmt.Errorf("what answers at %s is not a liqwatch of this version: %w", config.NewURL(w.base), err)}
}
