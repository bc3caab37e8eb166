package cgi

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestRequest(t *testing.T) {
	r := New([]string{
		"REQUEST_METHOD=PUT", "PATH_INFO=/a b", "QUERY_STRING=x=1+2&y=%26&z=%zz", "CONTENT_TYPE=text/x",
		"CONTENT_LENGTH=4", "HTTP_X_TEST=a, b", "BROKEN",
	}, strings.NewReader("body"))
	body, err := r.Data()
	got := fmt.Sprint(r.Method, r.Path, r.ContentType, r.ContentLength, r.Header("x-Test"),
		r.Header("content-type"), r.Query().Get("x"), r.Query().Get("y"), string(body), err)
	if want := "PUT/a btext/x4a, btext/x1 2&body<nil>"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if r.Header("none") != "" || r.Variable("BROKEN") != "" {
		t.Error("there is what was not sent")
	}
	for _, length := range []string{"", "-1", "x", "99999999999999999999"} {
		if r := New([]string{"CONTENT_LENGTH=" + length}, nil); r.ContentLength != -1 {
			t.Errorf("CONTENT_LENGTH=%s gives %d", length, r.ContentLength)
		}
	}
}

func TestResponse(t *testing.T) {
	const plain = "Content-Type: text/plain; charset=utf-8\n"
	for want, handler := range map[string]func(*Response){
		"Status: 200\n\n": func(w *Response) {},
		"Status: 200\nA: 1\nA: 2\n\nxyz": func(w *Response) {
			w.Header("A", "1")
			w.Header("A", "2")
			fmt.Fprint(w, "xyz")
		},
		"Status: 404\n" + plain + "\nno\n": func(w *Response) { w.Text(404, "no\n") },
		"Status: 201\nContent-Type: application/json\n\n{}": func(w *Response) {
			w.JSON(201, []byte("{}"))
		},
		"Status: 200\nLocation: /  Set-Cookie: a=b\n\n": func(w *Response) {
			w.Header("Location", "/\r\nSet-Cookie: a=b")
			w.Header("a\nb", "")
		},
		"Status: 200\n" + plain + "\nonce too": func(w *Response) {
			w.Text(200, "once")
			w.Text(500, " too")
		},
	} {
		var out strings.Builder
		w := NewResponse(&out)
		handler(w)
		if err := w.Flush(); err != nil || out.String() != want {
			t.Errorf("%q, not %q (%v)", out.String(), want, err)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestResponseNotSent(t *testing.T) {
	w := NewResponse(broken{})
	w.Text(200, strings.Repeat("x", 10000))
	if err := w.Flush(); err == nil || err.Error() != "gone" {
		t.Errorf("the error is %v", err)
	}
}

func ExampleServe() {
	os.Setenv("QUERY_STRING", "name=Ada")
	Serve(func(w *Response, r *Request) {
		w.Text(200, "hello "+r.Query().Get("name")+"\n")
	})
	// Output:
	// Status: 200
	// Content-Type: text/plain; charset=utf-8
	//
	// hello Ada
}
