package event

import (
	"encoding/json"

	"trilby.example/guest/cgi"
)

// Status is what becomes of an event.
type Status string

const (
	// Success says that the event is dealt with.
	Success Status = "SUCCESS"
	// Retry asks for the event again.
	Retry Status = "RETRY"
	// Drop gives the event up: it goes to the dead-letter topic if there is one.
	Drop Status = "DROP"
)

// Respond answers an event. A guest that traps, or runs out of time, asks for a retry.
func Respond(w *cgi.Response, status Status) {
	switch status {
	case Success:
		w.Status(204)
	case Drop:
		w.Status(404)
	default:
		w.Status(503)
	}
}

// Entry is one event of a bulk.
type Entry struct {
	// ID names the entry in the answer.
	ID string `json:"entryId"`
	// Event is a CloudEvent, or, of raw payloads, a text of base64.
	Event       json.RawMessage   `json:"event"`
	ContentType string            `json:"contentType"`
	Metadata    map[string]string `json:"metadata"`
}

// Entries reads the events of a bulk from the request's body.
func Entries(r *cgi.Request) ([]Entry, error) {
	data, err := r.Data()
	if err != nil {
		return nil, err
	}
	var bulk struct{ Entries []Entry }
	if err := json.Unmarshal(data, &bulk); err != nil {
		return nil, err
	}
	return bulk.Entries, nil
}

// EntryStatus is what becomes of one entry.
type EntryStatus struct {
	ID     string `json:"entryId"`
	Status Status `json:"status"`
}

// RespondBulk answers a bulk, entry by entry. An entry without a status comes again.
func RespondBulk(w *cgi.Response, statuses []EntryStatus) error {
	if statuses == nil {
		// Without the field, the answer would count for all entries.
		statuses = []EntryStatus{}
	}
	body, err := json.Marshal(map[string][]EntryStatus{"statuses": statuses})
	if err != nil {
		return err
	}
	w.JSON(200, body)
	return nil
}
