// Package cgi reads the request that a guest is run for, and writes its response (CGI/1.1, RFC
// 3875).
//
// It does what guests need and no more. Package net/http/cgi of the standard library works as well,
// and makes a module of twice the size.
package cgi

import (
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Request is the request, or the event, that the guest is run for.
type Request struct {
	// Method is the HTTP method; POST for events.
	Method string
	// Path is what the URL has after the route's own path, decoded; it begins with / or is empty.
	Path string
	// RawQuery is the query string, without `?`.
	RawQuery string
	// ContentType is the body's media type, empty if it is not known.
	ContentType string
	// ContentLength is the body's length in bytes, -1 if it is not known.
	ContentLength int64
	// Body is standard input.
	Body io.Reader

	variables map[string]string
}

// New is the request that an environment describes.
func New(environ []string, body io.Reader) *Request {
	variables := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, found := strings.Cut(entry, "="); found {
			variables[name] = value
		}
	}
	length, err := strconv.ParseInt(variables["CONTENT_LENGTH"], 10, 64)
	if err != nil || length < 0 {
		length = -1
	}
	return &Request{
		Method:        variables["REQUEST_METHOD"],
		Path:          variables["PATH_INFO"],
		RawQuery:      variables["QUERY_STRING"],
		ContentType:   variables["CONTENT_TYPE"],
		ContentLength: length,
		Body:          body,
		variables:     variables,
	}
}

// Read is the request of this very run.
func Read() *Request {
	return New(os.Environ(), os.Stdin)
}

// Variable is a variable of the environment, empty if there is none.
func (r *Request) Variable(name string) string {
	return r.variables[name]
}

// Header is a header of the request, empty if there is none. Several of one name come as one, with
// commas between.
func (r *Request) Header(name string) string {
	name = strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if name == "CONTENT_TYPE" || name == "CONTENT_LENGTH" {
		return r.variables[name]
	}
	return r.variables["HTTP_"+name]
}

// Query are the fields of the query string. What cannot be decoded is left out.
func (r *Request) Query() url.Values {
	// The error names only the first field that is left out.
	values, _ := url.ParseQuery(r.RawQuery)
	return values
}

// Data is the whole body. The route's limit of its size (`body-in`) bounds it.
func (r *Request) Data() ([]byte, error) {
	return io.ReadAll(r.Body)
}
