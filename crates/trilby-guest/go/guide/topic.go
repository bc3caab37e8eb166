package guide

import (
	"errors"

	"trilby.example/guest"
	"trilby.example/guest/cgi"
	"trilby.example/guest/event"
	"trilby.example/guest/state"
)

// Keep keeps an event under its id, so that a second delivery changes nothing.
func Keep(w *cgi.Response, r *cgi.Request) {
	data, err := r.Data()
	if err == nil {
		err = state.Set("statestore", "order-"+event.CloudEventOf(r).ID, data, nil)
	}
	var refused *guest.Error
	switch {
	case err == nil:
		event.Respond(w, event.Success)
	case errors.As(err, &refused) && refused.Code == guest.InvalidArgument:
		event.Respond(w, event.Drop) // It would be refused the next time, too.
	default:
		event.Respond(w, event.Retry)
	}
}

// KeepAll answers for each event of a bulk.
func KeepAll(w *cgi.Response, r *cgi.Request, keep func(event.Entry) error) error {
	entries, err := event.Entries(r)
	if err != nil {
		return err
	}
	statuses := make([]event.EntryStatus, len(entries))
	for i, entry := range entries {
		statuses[i] = event.EntryStatus{ID: entry.ID, Status: event.Success}
		if keep(entry) != nil {
			statuses[i].Status = event.Retry
		}
	}
	return event.RespondBulk(w, statuses)
}
