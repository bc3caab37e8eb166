package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// take is a target or an option.
func (r *request) take(name string) string {
	value := r.values[name]
	delete(r.values, name)
	return value
}

func (r *request) number(name string) uint32 {
	text := r.take(name)
	if text == "" {
		return 0
	}
	number, err := strconv.ParseUint(text, 10, 32)
	r.keep(err)
	return uint32(number)
}

// prefixed are the options whose names begin so, without it.
func (r *request) prefixed(prefix string) map[string]string {
	found := make(map[string]string)
	for name, value := range r.values {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			found[name[len(prefix):]] = value
			delete(r.values, name)
		}
	}
	return found
}

func (r *request) metadata() map[string]string {
	return r.prefixed("metadata.")
}

// done tells whether all was taken; what is left would be left out of the call.
func (r *request) done() bool {
	for name := range r.values {
		r.keep(fmt.Errorf("the SDK has no place for %s", name))
	}
	return r.bad == nil
}

func (r *request) keep(err error) {
	if r.bad == nil {
		r.bad = err
	}
}

// record has all fields that records of the ABI have.
type record struct {
	Operation   string            `json:"operation,omitempty"`
	Key         string            `json:"key,omitempty"`
	ID          string            `json:"id,omitempty"`
	Name        string            `json:"name,omitempty"`
	Value       *string           `json:"value,omitempty"`
	Value64     []byte            `json:"value-base64,omitempty"`
	Values      map[string]string `json:"values,omitempty"`
	Data        *string           `json:"data,omitempty"`
	Data64      []byte            `json:"data-base64,omitempty"`
	ETag        string            `json:"etag,omitempty"`
	Version     string            `json:"version,omitempty"`
	Concurrency string            `json:"concurrency,omitempty"`
	Consistency string            `json:"consistency,omitempty"`
	ContentType string            `json:"content-type,omitempty"`
	Schedule    string            `json:"schedule,omitempty"`
	DueTime     string            `json:"due-time,omitempty"`
	Repeats     uint32            `json:"repeats,omitempty"`
	TTL         string            `json:"ttl,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Error       string            `json:"error,omitempty"`
}

// records reads the list in the body.
func (r *request) records() []record {
	var list []record
	for line := range bytes.Lines(r.data) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var one record
		r.keep(json.Unmarshal(line, &one))
		list = append(list, one)
	}
	return list
}

func (r *request) keys() []string {
	var keys []string
	for _, one := range r.records() {
		keys = append(keys, one.Key)
	}
	return keys
}

// either is a body that is text or base64.
func either(text *string, decoded []byte) []byte {
	if text != nil {
		return []byte(*text)
	}
	return decoded
}

// split is a body as either the one field or the other.
func split(body []byte) (text *string, encoded []byte) {
	if !utf8.Valid(body) {
		return nil, body
	}
	whole := string(body)
	return &whole, nil
}

// list is an answer of records.
func list(records []record) (answer, error) {
	var given answer
	for _, one := range records {
		line, err := json.Marshal(one)
		if err != nil {
			return answer{}, err
		}
		given.body = append(append(given.body, line...), '\n')
	}
	return given, nil
}

// add adds a header that is there.
func (a *answer) add(name, value string) {
	if value != "" {
		a.header = append(a.header, [2]string{name, value})
	}
}

func (a *answer) addAll(prefix string, values map[string]string) {
	for name, value := range values {
		a.header = append(a.header, [2]string{prefix + name, value})
	}
}
