// Package invoke calls other apps.
package invoke

import (
	"io"
	"strconv"
	"strings"

	"trilby.example/guest"
	"trilby.example/guest/internal/abi"
)

// Options are the options of [Call] and [Open].
type Options struct {
	// Verb is the HTTP method; POST if it is empty.
	Verb string
	// Query is the query string, without `?`.
	Query       string
	ContentType string
	// Header are headers of the request. Those that belong to the connection, to CGI or to Dapr are
	// refused.
	Header map[string]string
}

// Response is what the other app answers, whatever its status: reading goes on while it comes.
// Close it.
type Response struct {
	Status int
	// Header has all values of each header, under the header's name in lower case.
	Header map[string][]string
	answer *abi.Answer
}

// Call calls a method, which is the path at the other app as it stands in a URL, without query.
// That the app cannot be reached is an error; what it answers is not.
func Call(app, method string, body []byte, options *Options) (*Response, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	answer, err := abi.Open(hostCall(app, method, block, abi.View(body)))
	if err != nil {
		return nil, err
	}
	return response(answer)
}

// Open begins a call whose body is then written.
func Open(app, method string, options *Options) (*Request, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	stream, err := abi.OpenStream(hostOpen(app, method, block))
	if err != nil {
		return nil, err
	}
	return &Request{stream: stream}, nil
}

// Request is a call whose body is being written.
type Request struct {
	stream *abi.Stream
	ended  bool
}

// Write sends a part of the body, and waits while the other side is slower.
func (r *Request) Write(p []byte) (int, error) {
	return r.stream.Write(p)
}

// Close ends the body. The call goes on: take its [Request.Response].
func (r *Request) Close() error {
	if r.ended {
		return nil
	}
	r.ended = true
	return r.stream.End()
}

// Response waits for the answer, which some apps give before the body has ended. Both then share
// one call: closing the response breaks off a body that is still being written.
func (r *Request) Response() (*Response, error) {
	return response(&r.stream.Answer)
}

// Cancel breaks the call off, unless its response was closed already.
func (r *Request) Cancel() error {
	r.ended = true
	return r.stream.Close()
}

// Read reads from the body, and waits until there is some of it.
func (r *Response) Read(p []byte) (int, error) {
	return r.answer.Read(p)
}

// Body is what is left of the body.
func (r *Response) Body() ([]byte, error) {
	return io.ReadAll(r)
}

// Close ends the call. A body that was not read to its end is broken off.
func (r *Response) Close() error {
	return r.answer.Close()
}

// Get is the first value of a header, empty if there is none.
func (r *Response) Get(name string) string {
	values := r.Header[strings.ToLower(name)]
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func response(answer *abi.Answer) (*Response, error) {
	fields, err := answer.Headers()
	if err != nil {
		answer.Close()
		return nil, err
	}
	response := &Response{Header: make(map[string][]string), answer: answer}
	for _, field := range fields {
		if name, found := strings.CutPrefix(field.Name, "header."); found {
			name = strings.ToLower(name)
			response.Header[name] = append(response.Header[name], field.Value)
		} else if field.Name == "status" {
			// What is no number stays 0, and is reported below.
			response.Status, _ = strconv.Atoi(field.Value)
		}
	}
	if response.Status == 0 {
		answer.Close()
		return nil, &guest.Error{Code: guest.Internal, Message: "the host's answer has no status"}
	}
	return response, nil
}

func (o *Options) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("verb", o.Verb)
	options.Text("query", o.Query)
	options.Text("content-type", o.ContentType)
	options.Prefixed("header.", o.Header)
	return options.Block()
}
