// Drives every function of the Go SDK from a test. tests/guests/dapr-c does the same for C.
//
// The path is block/function as in ABI.md. The query has the targets under the ABI's names, and the
// options; the body is the value, the data, the request or the records.
//
//	state/         get set delete               store key
//	               get_bulk set_bulk delete_bulk transact query                    store
//	pubsub/        publish publish_bulk         pubsub topic
//	binding/       invoke                       binding operation
//	invoke/        call open                    app method
//	secret/        get                          store key
//	               get_bulk                     store
//	configuration/ get                          store
//	lock/          try_lock unlock              store resource owner
//	jobs/          schedule get delete          name
//	               list
//	crypto/        encrypt decrypt encrypt_open decrypt_open                       component key
//	conversation/  converse                     component
//	actor/         invoke                       type id method
//	               get_state                    type id key
//	               transact_state               type id
//	               register_reminder get_reminder unregister_reminder
//	               register_timer unregister_timer                                 type id name
//	metadata/      get
//	               set                          key value
//	dapr/          call                         method
//
// The functions `open` get the body in pieces of 1000 bytes.
//
// The answer is 200 and the answer's body; the answer's headers have `Answer-` in front of their
// names: those that the SDK has a place for. Records have the ABI's fields. An error is 418 and
//
//	KIND CODE REASON
//	message
//
// where KIND is conflict, not-found, denied, unavailable, deadline or other, as the SDK tells it, and
// REASON is - if there is none. What is not in the table, or has an option that the SDK cannot say, is
// 400.
package main

import (
	"errors"
	"fmt"
	"strings"

	"trilby.example/guest"
	"trilby.example/guest/cgi"
)

// request is what an operation is asked for. It strikes off what it takes.
type request struct {
	values map[string]string
	data   []byte
	bad    error
}

// answer is what an operation has to tell.
type answer struct {
	header [][2]string
	body   []byte
}

var blocks = map[string]func(*request, string) (answer, error){
	"state": doState, "pubsub": doPubsub, "binding": doBinding, "invoke": doInvoke,
	"secret": doSecret, "configuration": doConfiguration, "lock": doLock, "jobs": doJobs,
	"crypto": doCrypto, "conversation": doConversation, "actor": doActor, "metadata": doMetadata,
	"dapr": doDapr,
}

var errUnknown = errors.New("no such operation")

func main() {
	cgi.Serve(func(w *cgi.Response, r *cgi.Request) {
		block, function, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		do := blocks[block]
		if do == nil {
			w.Text(400, errUnknown.Error()+"\n")
			return
		}
		data, err := r.Data()
		if err != nil {
			w.Text(400, err.Error()+"\n")
			return
		}
		asked := &request{values: make(map[string]string), data: data}
		for name, values := range r.Query() {
			asked.values[name] = values[0]
		}
		given, err := do(asked, function)
		respond(w, asked, given, err)
	})
}

func respond(w *cgi.Response, asked *request, given answer, err error) {
	var refused *guest.Error
	switch {
	case asked.bad != nil:
		w.Text(400, asked.bad.Error()+"\n")
	case errors.As(err, &refused):
		reason := refused.Reason
		if reason == "" {
			reason = "-"
		}
		w.Text(418, fmt.Sprintf("%s %s %s\n%s", kind(err), refused.Code, reason, refused.Message))
	case err != nil:
		w.Text(400, err.Error()+"\n")
	default:
		w.Header("Content-Type", "application/octet-stream")
		for _, field := range given.header {
			w.Header("Answer-"+field[0], field[1])
		}
		w.Write(given.body)
	}
}

func kind(err error) string {
	for name, kind := range map[string]error{
		"conflict": guest.ErrConflict, "not-found": guest.ErrNotFound, "denied": guest.ErrDenied,
		"unavailable": guest.ErrUnavailable, "deadline": guest.ErrDeadline,
	} {
		if errors.Is(err, kind) {
			return name
		}
	}
	return "other"
}
