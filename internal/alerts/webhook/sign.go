package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

const secretPrefix = "whsec_"

// parseSecret reads a secret of the Standard Webhooks convention: whsec_ and the
// base64 of 24 to 64 bytes. The error does not repeat it.
func parseSecret(s string) ([]byte, error) {
	body, ok := strings.CutPrefix(s, secretPrefix)
	if !ok {
		return nil, errors.New("a webhook secret starts with whsec_; make one with: echo whsec_$(openssl rand -base64 32)")
	}
	key, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return nil, errors.New("a webhook secret is whsec_ followed by base64; this one is not")
	}
	if len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("a webhook secret holds 24 to 64 bytes; this one holds %d", len(key))
	}
	return key, nil
}

// sign is the value of the webhook-signature header: one signature for each key, so
// that a receiver can change its secret while both are in use.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func sign(keys [][]byte, id string, at time.Time, body []byte) string {
	var list []string
	for _, key := range keys {
		h := hmac.New(sha256.New, key)
		fmt.Fprintf(h, "%s.%d.", id, at.Unix())
		h.Write(body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(list, " ")
}
