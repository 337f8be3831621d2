package naive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

type question struct {
	Version string `json:"jsonrpc"`
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// ask sends questions in one batch; results[i] belongs to questions[i].
func (j *Judge) ask(ctx context.Context, questions []question) ([]json.RawMessage, error) {
	for i := range questions {
		questions[i].Version, questions[i].ID = "2.0", i
	}
	body, err := json.Marshal(questions)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var replies []reply
	if err := json.NewDecoder(resp.Body).Decode(&replies); err != nil {
		return nil, err
	}
	results := make([]json.RawMessage, len(questions))
	for _, r := range replies {
		if r.Error != nil {
			return nil, fmt.Errorf("%s: %s", questions[r.ID].Method, r.Error.Message)
		}
		results[r.ID] = r.Result
	}
	for i := range results {
		if results[i] == nil {
			return nil, errors.New(questions[i].Method + ": no answer")
		}
	}
	return results, nil
}

// one asks a single question.
func (j *Judge) one(ctx context.Context, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	out, err := j.ask(ctx, []question{{Method: method, Params: params}})
	if err != nil {
		return err
	}
	return json.Unmarshal(out[0], result)
}
