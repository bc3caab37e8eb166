// Package guest is the root of the SDK for Trilby guests in Go: WebAssembly modules that answer
// HTTP requests and events, and reach Dapr's building blocks through their host.
//
// This package holds what all blocks share, the errors. Each block has a package of its own, so
// that a module imports from its host only what it uses:
//
//   - state, pubsub, binding, invoke, secret, configuration, lock, jobs, crypto, conversation,
//     actor and metadata are Dapr's building blocks,
//   - dapr calls any other unary rpc of Dapr,
//   - cgi reads the request and writes the response; net/http/cgi does as well, in a module twice
//     the size,
//   - event tells what an event is about.
//
// Options are structs, given by pointer; nil means the defaults.
//
// Build a guest with
//
//	GOOS=wasip1 GOARCH=wasm go build -trimpath -ldflags='-s -w' -o app.wasm .
//
// Everywhere else the packages compile, too, so that the guest's own tests run: there, every call
// fails with the code [Unimplemented].
//
// What a route may use is granted in its manifest; a call beyond that is [ErrDenied], and its
// message has the line to add.
package guest
