package webhook

import (
	"encoding/base64"
	"testing"
)

func FuzzParseSecret(f *testing.F) {
	f.Add("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	f.Add("whsec_")
	f.Add("hunter2")
	f.Fuzz(func(t *testing.T, s string) {
		key, err := parseSecret(s)
		if err != nil {
			return
		}
		if again, err := parseSecret("whsec_" + base64.StdEncoding.EncodeToString(key)); err != nil || string(again) != string(key) || len(key) < 24 || len(key) > 64 {
			t.Fatalf("%q is not read as written", s)
		}
	})
}
