package abi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"trilby.example/guest"
)

// Records is a list to send: one JSON object on each line.
type Records struct {
	list   []byte
	fields int
	err    error
}

// Text adds a field to the record, unless the value is empty. It must be UTF-8: a name that is not
// has no place in JSON, and another one in its stead would be another target.
func (r *Records) Text(name, value string) {
	if value == "" {
		return
	}
	if !utf8.ValidString(value) {
		r.err = Invalid("`" + name + "` is not UTF-8: " + strconv.Quote(value))
		return
	}
	r.name(name)
	r.list = appendText(r.list, value)
}

// Bytes adds a field as text if it is UTF-8, and else as base64 under the name that says so. An
// empty value is a value.
func (r *Records) Bytes(name string, value []byte) {
	if utf8.Valid(value) {
		r.name(name)
		r.list = appendText(r.list, View(value))
		return
	}
	r.name(name + "-base64")
	r.list = append(r.list, '"')
	r.list = base64.StdEncoding.AppendEncode(r.list, value)
	r.list = append(r.list, '"')
}

// Metadata adds an object of strings, unless it is empty.
func (r *Records) Metadata(metadata map[string]string) {
	if len(metadata) == 0 {
		return
	}
	r.name("metadata")
	separator := byte('{')
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		if value := metadata[name]; !utf8.ValidString(name) || !utf8.ValidString(value) {
			r.err = Invalid("metadata " + strconv.Quote(name) + " is not UTF-8")
		}
		r.list = append(r.list, separator)
		r.list = appendText(r.list, name)
		r.list = append(r.list, ':')
		r.list = appendText(r.list, metadata[name])
		separator = ','
	}
	r.list = append(r.list, '}')
}

// End ends a record.
func (r *Records) End() {
	if r.fields == 0 {
		r.list = append(r.list, '{')
	}
	r.list = append(r.list, "}\n"...)
	r.fields = 0
}

// List is what the host takes.
func (r *Records) List() (string, error) {
	return View(r.list), r.err
}

func (r *Records) name(name string) {
	separator := byte(',')
	if r.fields == 0 {
		separator = '{'
	}
	r.fields++
	r.list = append(r.list, separator)
	r.list = appendText(r.list, name)
	r.list = append(r.list, ':')
}

// appendText appends a JSON string of UTF-8 text (RFC 8259, section 7).
func appendText(to []byte, text string) []byte {
	const hex = "0123456789abcdef"
	to = append(to, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c < 0x20:
			to = append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}

// Keys is a list of records that have a key only.
func Keys(keys []string) (string, error) {
	var records Records
	for _, key := range keys {
		records.Text("key", key)
		records.End()
	}
	return records.List()
}

// Parse reads the records of an answer's body.
func Parse[T any](body []byte) ([]T, error) {
	var records []T
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		var record T
		if err := json.Unmarshal(line, &record); err != nil {
			message := "the host's answer has an unreadable record: " + err.Error()
			return nil, &guest.Error{Code: guest.Internal, Message: message}
		}
		records = append(records, record)
	}
	return records, nil
}

// Either is a field that is text, or base64 in a field of its own.
func Either(text *string, decoded []byte) []byte {
	if text != nil {
		return []byte(*text)
	}
	return decoded
}
