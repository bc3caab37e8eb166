package event

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"trilby.example/guest/cgi"
)

func TestTriggers(t *testing.T) {
	for want, environ := range map[string]string{
		"http  ": "REQUEST_METHOD=GET",
		"topic i/so/ty/1.0/su/ti/orders/pubsub/2/gold ": "TRILBY_TRIGGER=topic CE_ID=i CE_SOURCE=so " +
			"CE_TYPE=ty CE_SPECVERSION=1.0 CE_SUBJECT=su CE_TIME=ti CE_TOPIC=orders CE_PUBSUBNAME=pubsub " +
			"TRILBY_BULK_COUNT=2 CE_LEVEL1=gold",
		"binding tick ": "TRILBY_TRIGGER=binding BINDING_NAME=tick",
		"job nightly ":  "TRILBY_TRIGGER=job JOB_NAME=nightly",
		"configuration {conf k 3} ": "TRILBY_TRIGGER=configuration CONFIGURATION_STORE=conf " +
			"CONFIGURATION_KEY=k CONFIGURATION_VERSION=3",
	} {
		r := cgi.New(strings.Fields(environ), nil)
		about := ""
		switch TriggerOf(r) {
		case Topic:
			e := CloudEventOf(r)
			about = fmt.Sprintf("%s/%s/%s/%s/%s/%s/%s/%s/%d/%s", e.ID, e.Source, e.Type, e.SpecVersion,
				e.Subject, e.Time, e.Topic, e.PubSub, e.BulkCount, e.Extension("level1"))
		case Binding:
			about = BindingOf(r)
		case Job:
			about = JobOf(r)
		case Configuration:
			about = fmt.Sprint(ChangeOf(r))
		}
		if got := fmt.Sprintf("%s %s ", TriggerOf(r), about); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if got := (CloudEvent{}).Extension("level1"); got != "" {
		t.Errorf("no event has an extension %q", got)
	}
}

func TestRespond(t *testing.T) {
	expected := map[Status]string{Success: "204", Retry: "503", Drop: "404", "odd": "503"}
	for status, want := range expected {
		var out strings.Builder
		w := cgi.NewResponse(&out)
		Respond(w, status)
		w.Flush()
		if !strings.HasPrefix(out.String(), "Status: "+want) {
			t.Errorf("%s gives %q", status, out.String())
		}
	}
}

func TestBulkWithoutEntries(t *testing.T) {
	if _, err := Entries(cgi.New(nil, strings.NewReader("nothing"))); err == nil {
		t.Error("what is no bulk is read")
	}
	var out strings.Builder
	w := cgi.NewResponse(&out)
	if err := RespondBulk(w, nil); err != nil {
		t.Error(err)
	}
	w.Flush()
	if !strings.HasSuffix(out.String(), `{"statuses":[]}`) {
		t.Errorf("the answer is %q", out.String())
	}
}

func ExampleRespondBulk() {
	body := `{"entries": [{"entryId": "1", "event": {"id": "a", "data": "x"}}, {"entryId": "2"}]}`
	r := cgi.New([]string{"TRILBY_TRIGGER=topic", "TRILBY_BULK_COUNT=2"}, strings.NewReader(body))
	w := cgi.NewResponse(os.Stdout)

	entries, err := Entries(r)
	if err != nil {
		Respond(w, Drop)
		return
	}
	var statuses []EntryStatus
	for _, entry := range entries {
		status := Success
		if len(entry.Event) == 0 {
			status = Drop
		}
		statuses = append(statuses, EntryStatus{ID: entry.ID, Status: status})
	}
	if err := RespondBulk(w, statuses); err != nil {
		Respond(w, Retry)
	}
	w.Flush()
	// Output:
	// Status: 200
	// Content-Type: application/json
	//
	// {"statuses":[{"entryId":"1","status":"SUCCESS"},{"entryId":"2","status":"DROP"}]}
}
