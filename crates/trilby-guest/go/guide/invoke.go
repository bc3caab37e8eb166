package guide

import (
	"io"

	"trilby.example/guest/cgi"
	"trilby.example/guest/invoke"
)

// Forward passes another app's answer on as it comes.
func Forward(w *cgi.Response, _ *cgi.Request) {
	get := &invoke.Options{Verb: "GET", Query: "full=1"}
	answer, err := invoke.Call("stock", "items/7", nil, get)
	if err != nil {
		w.Text(502, "no stock\n")
		return
	}
	defer answer.Close()
	w.Status(answer.Status)
	io.Copy(w, answer)
}
