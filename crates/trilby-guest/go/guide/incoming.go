package guide

import (
	"fmt"
	"os"

	"trilby.example/guest/cgi"
	"trilby.example/guest/event"
)

// Answer is for cgi.Serve.
func Answer(w *cgi.Response, r *cgi.Request) {
	switch event.TriggerOf(r) {
	case event.HTTP:
		w.Text(200, "hello\n")
		return
	case event.Topic:
		fmt.Fprintln(os.Stderr, "event", event.CloudEventOf(r).ID)
	case event.Binding:
		fmt.Fprintln(os.Stderr, "binding", event.BindingOf(r))
	case event.Job:
		fmt.Fprintln(os.Stderr, "job", event.JobOf(r))
	case event.Configuration:
		fmt.Fprintln(os.Stderr, "changed:", event.ChangeOf(r).Key)
	}
	event.Respond(w, event.Success)
}
