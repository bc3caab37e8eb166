//go:build !wasip1

package guest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"trilby.example/guest"
	"trilby.example/guest/actor"
	"trilby.example/guest/binding"
	"trilby.example/guest/configuration"
	"trilby.example/guest/crypto"
	"trilby.example/guest/internal/abi"
	"trilby.example/guest/invoke"
	"trilby.example/guest/jobs"
	"trilby.example/guest/pubsub"
	"trilby.example/guest/secret"
	"trilby.example/guest/state"
)

// Answers as the host gives them, and what a guest is to make of them.
func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, test := range []struct {
		headers, body, want string
		call                func() (any, error)
	}{
		{"etag: 7\nmetadata.ttlExpireTime: soon: now\n", "value", "value 7 map[ttlExpireTime:soon: now] true",
			func() (any, error) {
				v, err := state.Get("s", "k", nil)
				return fmt.Sprint(string(v.Data), " ", v.ETag, " ", v.Metadata, " ", v.Exists()), err
			}},
		{"etag: " + long + "\n", "", long, func() (any, error) {
			v, err := state.Get("s", "k", nil)
			return v.ETag, err
		}},
		{"", "", "[] false", func() (any, error) {
			v, err := state.Get("s", "k", nil)
			return fmt.Sprint(v.Data, v.Exists()), err
		}},
		{"token: 10\n", `{"key":"a","value":"x","etag":"1"}` + "\n\n" + `{"key":"b","value-base64":"/w==","etag":"2"}` +
			"\n" + `{"key":"c"}` + "\n" + `{"key":"d","error":"broken"}`,
			`10 a="x"/1/ b="\xff"/2/ c=""// d=""//broken`, func() (any, error) {
				result, err := state.Query("s", "{}", nil)
				text := result.Token
				for _, i := range result.Items {
					text += fmt.Sprintf(" %s=%q/%s/%s", i.Key, i.Data, i.ETag, i.Error)
				}
				return text, err
			}},
		{"", `{"id":"0","error":"too large"}`, "[{0 too large}]", func() (any, error) {
			return pubsub.PublishBulk("p", "t", nil, nil)
		}},
		{"metadata.path: /x\n", "answer", "answer map[path:/x]", func() (any, error) {
			a, err := binding.Invoke("b", "get", nil, nil)
			return fmt.Sprint(string(a.Data), " ", a.Metadata), err
		}},
		{"value.user: me\nvalue.password: pw\n", "", "me pw none  secret.Secret(…) secret.Secret(…)",
			func() (any, error) {
				s, err := secret.Get("s", "k", nil)
				return fmt.Sprintf("%s %s %s %s %v %#v", s.Value("user"), s.Value("password"), "none",
					s.Text(), s, s), err
			}},
		{"", `{"key":"a","values":{"a":"1"}}` + "\n" + `{"key":"b","values":{"x":"1","y":"2"}}`,
			"2 1  2", func() (any, error) {
				all, err := secret.GetBulk("s")
				return fmt.Sprint(len(all), " ", all["a"].Text(), " ", all["b"].Text(), " ", all["b"].Value("y")), err
			}},
		{"", `{"key":"a","value":"1","version":"v","metadata":{"m":"n"}}`, "map[a:{1 v map[m:n]}]",
			func() (any, error) { return configuration.Get("s", nil, nil) }},
		{"schedule: @daily\ndue-time: 1s\nrepeats: 3\nttl: 1h\ncontent-type: application/json\n", "{}",
			"{Name:j Schedule:@daily DueTime:1s TTL:1h Repeats:3 Data:[123 125] ContentType:application/json}",
			func() (any, error) {
				j, err := jobs.Get("j")
				return fmt.Sprintf("%+v", j), err
			}},
		{"", `{"name":"j","due-time":"1s","repeats":2,"data":"x"}`, "[{j  1s  2 [120] }]",
			func() (any, error) { return jobs.List() }},
		{"due-time: 1s\nperiod: 2s\n", "1", "{1s 2s  [49]}",
			func() (any, error) { return actor.GetReminder("T", "1", "n") }},
	} {
		host := &abi.Fake{Result: 1, Headers: test.headers, Body: test.body}
		abi.Use(t, host)
		got, err := test.call()
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("got %v (%v), not %s", got, err, test.want)
		}
		if host.Closed != 1 {
			t.Errorf("%s: closed %d times", test.want, host.Closed)
		}
	}
}

func TestAnswersThatCannotBe(t *testing.T) {
	for name, call := range map[string]func() error{
		"no record":  func() error { return second(state.GetBulk("s", nil, nil)) },
		"no number":  func() error { return second(jobs.Get("j")) },
		"no status":  func() error { return second(invoke.Call("a", "m", nil, nil)) },
		"no secrets": func() error { return second(secret.GetBulk("s")) },
	} {
		host := &abi.Fake{Result: 1, Headers: "repeats: some\nstatus: fine\n", Body: "{"}
		abi.Use(t, host)
		var odd *guest.Error
		if err := call(); !errors.As(err, &odd) || odd.Code != guest.Internal {
			t.Errorf("%s gives %v", name, err)
		}
		if host.Closed != 1 {
			t.Errorf("%s: closed %d times", name, host.Closed)
		}
	}
}

func TestInvokedStream(t *testing.T) {
	headers := "status: 503\nheader.set-cookie: a\nheader.set-cookie: b\n"
	host := &abi.Fake{Result: 1, Headers: headers, Body: "an answer", Stream: true}
	abi.Use(t, host)
	request, err := invoke.Open("app", "m", nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(request, "one ")
	fmt.Fprint(request, "two")
	request.Close()
	request.Close()
	response, err := request.Response()
	if err != nil {
		t.Fatal(err)
	}
	body, err := response.Body()
	got := fmt.Sprint(response.Status, response.Header, response.Get("Set-Cookie"), string(body), err)
	if got != "503 map[set-cookie:[a b]]aan answer<nil>" {
		t.Errorf("the answer is %q", got)
	}
	response.Close()
	request.Cancel()
	if host.Written != "one two" || host.Ended != 1 || host.Closed != 1 {
		t.Errorf("the host has %q, %d, %d", host.Written, host.Ended, host.Closed)
	}
}

func TestCryptoStream(t *testing.T) {
	host := &abi.Fake{Result: 1, Body: "plain text", Stream: true}
	abi.Use(t, host)
	stream, err := crypto.DecryptOpen("c", "k")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(stream, "envelope")
	stream.CloseWrite()
	text, err := io.ReadAll(stream)
	stream.Close()
	if err != nil || string(text) != "plain text" || host.Written != "envelope" {
		t.Errorf("%q gives %q (%v)", host.Written, text, err)
	}
	if host.Ended != 1 || host.Closed != 1 {
		t.Errorf("ended %d times, closed %d times", host.Ended, host.Closed)
	}
}

func TestUpdate(t *testing.T) {
	host := &abi.Fake{Result: 1, Headers: "etag: 7\n"}
	abi.Use(t, host)
	err := state.Update("s", "k", func(seen state.Value) ([]byte, error) {
		return []byte("after " + seen.ETag), nil
	})
	want := "dapr_state_v1|get|s|k| dapr_state_v1|set|s|k|etag: 7\nconcurrency: first-write\n|after 7"
	if got := strings.Join(host.Calls, " "); err != nil || got != want {
		t.Errorf("the host sees %q (%v)", got, err)
	}
	stop := errors.New("stop")
	err = state.Update("s", "k", func(state.Value) ([]byte, error) { return nil, stop })
	if err != stop || len(host.Calls) != 3 {
		t.Errorf("a change that failed is written: %v, %q", err, host.Calls)
	}
}

// A race that is lost again and again ends at some time.
func TestUpdateGivesUp(t *testing.T) {
	host := &abi.Fake{Result: 1, Headers: "etag: 7\n"}
	abi.Use(t, host)
	changes := 0
	err := state.Update("s", "k", func(state.Value) ([]byte, error) {
		changes++
		host.Result = -10
		host.After = func() { host.Result = 1 }
		return nil, nil
	})
	if !errors.Is(err, guest.ErrConflict) || changes != 100 {
		t.Errorf("after %d changes: %v", changes, err)
	}
}
