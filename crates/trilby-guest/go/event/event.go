// Package event tells what a guest is run for: an HTTP request, or an event of a topic, a binding,
// a job or configuration.
//
// An event comes as a request, with its data as the body, and is answered with a [Status].
package event

import (
	"strconv"

	"trilby.example/guest/cgi"
)

// Trigger is what started the guest.
type Trigger string

// What starts a guest.
const (
	HTTP          Trigger = "http"
	Topic         Trigger = "topic"
	Binding       Trigger = "binding"
	Job           Trigger = "job"
	Configuration Trigger = "configuration"
)

// TriggerOf tells what started the guest.
func TriggerOf(r *cgi.Request) Trigger {
	if trigger := r.Variable("TRILBY_TRIGGER"); trigger != "" {
		return Trigger(trigger)
	}
	return HTTP
}

// CloudEvent are the attributes of a topic's event. The data is the request's body, or, with
// `envelope = true` in the route, the whole event as JSON is.
type CloudEvent struct {
	ID, Source, Type, SpecVersion, Subject string
	// Time is as the event has it: RFC 3339.
	Time string
	// Topic and PubSub are where it was published.
	Topic, PubSub string
	// BulkCount is how many events the body has, in a route with `bulk`: see [Entries]; 0
	// otherwise.
	BulkCount int

	request *cgi.Request
}

// CloudEventOf are the attributes of the event that the request brings, as far as it has them.
func CloudEventOf(r *cgi.Request) CloudEvent {
	// What is no number is no bulk.
	count, _ := strconv.Atoi(r.Variable("TRILBY_BULK_COUNT"))
	return CloudEvent{
		ID:          r.Variable("CE_ID"),
		Source:      r.Variable("CE_SOURCE"),
		Type:        r.Variable("CE_TYPE"),
		SpecVersion: r.Variable("CE_SPECVERSION"),
		Subject:     r.Variable("CE_SUBJECT"),
		Time:        r.Variable("CE_TIME"),
		Topic:       r.Variable("CE_TOPIC"),
		PubSub:      r.Variable("CE_PUBSUBNAME"),
		BulkCount:   count,
		request:     r,
	}
}

// Extension is one of the event's extension attributes, empty if it has none of that name.
func (e CloudEvent) Extension(name string) string {
	if e.request == nil {
		return ""
	}
	return e.request.Variable("CE_" + upper(name))
}

// BindingOf is the component whose binding fired. Its metadata are the request's headers.
func BindingOf(r *cgi.Request) string {
	return r.Variable("BINDING_NAME")
}

// JobOf is the name of the job that is due.
func JobOf(r *cgi.Request) string {
	return r.Variable("JOB_NAME")
}

// Change is a key of configuration that has changed. The request's body is its new value, empty
// when the key was deleted.
type Change struct {
	Store, Key, Version string
}

// ChangeOf is the change that the request brings.
func ChangeOf(r *cgi.Request) Change {
	return Change{
		Store:   r.Variable("CONFIGURATION_STORE"),
		Key:     r.Variable("CONFIGURATION_KEY"),
		Version: r.Variable("CONFIGURATION_VERSION"),
	}
}

// upper is the name in a variable. CloudEvents allows lower-case letters and digits only.
func upper(name string) string {
	letters := []byte(name)
	for i, c := range letters {
		if c >= 'a' && c <= 'z' {
			letters[i] = c - 'a' + 'A'
		}
	}
	return string(letters)
}
