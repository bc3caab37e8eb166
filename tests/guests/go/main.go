// A CGI program as Go's standard library speaks it: the handler of any Go web server, behind
// net/http/cgi.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"strconv"
)

func main() {
	if err := cgi.Serve(http.HandlerFunc(answer)); err != nil {
		log.Fatal(err)
	}
}

// answer tells what the library made of the request, one fact per line.
func answer(w http.ResponseWriter, r *http.Request) {
	length, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "first", Value: "1", Path: "/"})
	http.SetCookie(w, &http.Cookie{Name: "second", Value: "2", HttpOnly: true})
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status(r))
	fmt.Fprintf(w, "method=%s\n", r.Method)
	fmt.Fprintf(w, "path=%s\n", r.URL.Path)
	fmt.Fprintf(w, "query=%s\n", r.URL.RawQuery)
	fmt.Fprintf(w, "host=%s\n", r.Host)
	fmt.Fprintf(w, "x-test=%s\n", r.Header.Get("X-Test"))
	fmt.Fprintf(w, "content-type=%s\n", r.Header.Get("Content-Type"))
	fmt.Fprintf(w, "body=%d\n", length)
}

// status is what the query asks for, or 418.
func status(r *http.Request) int {
	code, err := strconv.Atoi(r.URL.Query().Get("status"))
	if err != nil || code < 200 || code > 599 {
		return http.StatusTeapot
	}
	return code
}
