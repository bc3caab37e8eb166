package cgi

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
)

// Response writes the response. What is written first sends the headers, so that these must be set
// before.
type Response struct {
	out    *bufio.Writer
	status int
	header []string
	begun  bool
	err    error
}

// NewResponse is a response that goes to a writer; [Serve] makes the one of this very run.
func NewResponse(out io.Writer) *Response {
	return &Response{out: bufio.NewWriter(out), status: 200}
}

// Status sets the HTTP status, which is 200 otherwise.
func (w *Response) Status(status int) {
	w.status = status
}

// Header adds a header. Line breaks in its value become spaces, and a name that could not stand in
// a header is left out, as in net/http.
func (w *Response) Header(name, value string) {
	if !token(name) {
		return
	}
	value = strings.NewReplacer("\r", " ", "\n", " ").Replace(value)
	w.header = append(w.header, name+": "+value)
}

// Write sends a part of the body.
func (w *Response) Write(p []byte) (int, error) {
	w.begin()
	n, err := w.out.Write(p)
	w.keep(err)
	return n, err
}

// WriteString sends a part of the body.
func (w *Response) WriteString(text string) (int, error) {
	w.begin()
	n, err := w.out.WriteString(text)
	w.keep(err)
	return n, err
}

// Flush sends what was written so far to the client.
func (w *Response) Flush() error {
	w.begin()
	w.keep(w.out.Flush())
	return w.err
}

// Text answers a status and a plain text, which ends the response.
func (w *Response) Text(status int, text string) {
	w.Status(status)
	w.Header("Content-Type", "text/plain; charset=utf-8")
	w.WriteString(text)
}

// JSON answers a status and a text of JSON, which ends the response.
func (w *Response) JSON(status int, json []byte) {
	w.Status(status)
	w.Header("Content-Type", "application/json")
	w.Write(json)
}

// Serve runs a handler for the request that this guest is run for, sends the response and ends the
// guest: with an exit code that says so when the response could not be sent.
func Serve(handler func(*Response, *Request)) {
	w := NewResponse(os.Stdout)
	handler(w, Read())
	if err := w.Flush(); err != nil {
		os.Stderr.WriteString("response not sent: " + err.Error() + "\n")
		os.Exit(1)
	}
}

// begin writes the headers once. CGI takes a response without any for a broken one: there is always
// the status.
func (w *Response) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.header = append([]string{"Status: " + strconv.Itoa(w.status)}, w.header...)
	_, err := w.out.WriteString(strings.Join(w.header, "\n") + "\n\n")
	w.keep(err)
}

func (w *Response) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

// token tells whether a text may be a header's name (RFC 9110, section 5.6.2).
func token(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !(c >= '0' && c <= '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return text != ""
}
