package main

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"time"

	"trilby.example/guest/binding"
	"trilby.example/guest/configuration"
	"trilby.example/guest/crypto"
	"trilby.example/guest/invoke"
	"trilby.example/guest/lock"
	"trilby.example/guest/pubsub"
	"trilby.example/guest/secret"
)

func doPubsub(r *request, function string) (answer, error) {
	name, topic := r.take("pubsub"), r.take("topic")
	options := &pubsub.Options{ContentType: r.take("content-type"), Metadata: r.metadata()}
	if function == "publish" {
		if !r.done() {
			return answer{}, nil
		}
		return answer{}, pubsub.Publish(name, topic, r.data, options)
	}
	if function != "publish_bulk" {
		return answer{}, errUnknown
	}
	var events []pubsub.Event
	for _, one := range r.records() {
		events = append(events, pubsub.Event{
			ID: one.ID, Data: either(one.Data, one.Data64), ContentType: one.ContentType,
			Metadata: one.Metadata,
		})
	}
	if !r.done() {
		return answer{}, nil
	}
	failures, err := pubsub.PublishBulk(name, topic, events, options)
	if err != nil {
		return answer{}, err
	}
	var records []record
	for _, failure := range failures {
		records = append(records, record{ID: failure.ID, Error: failure.Error})
	}
	return list(records)
}

func doBinding(r *request, function string) (answer, error) {
	name, operation := r.take("binding"), r.take("operation")
	options := &binding.Options{Metadata: r.metadata()}
	if function != "invoke" {
		return answer{}, errUnknown
	}
	if !r.done() {
		return answer{}, nil
	}
	given, err := binding.Invoke(name, operation, r.data, options)
	told := answer{body: given.Data}
	told.addAll("metadata.", given.Metadata)
	return told, err
}

func doInvoke(r *request, function string) (answer, error) {
	app, method := r.take("app"), r.take("method")
	options := &invoke.Options{
		Verb: r.take("verb"), Query: r.take("query"), ContentType: r.take("content-type"),
		Header: r.prefixed("header."),
	}
	if !r.done() {
		return answer{}, nil
	}
	var response *invoke.Response
	var err error
	switch function {
	case "call":
		response, err = invoke.Call(app, method, r.data, options)
	case "open":
		response, err = invokeInPieces(app, method, r.data, options)
	default:
		err = errUnknown
	}
	if err != nil {
		return answer{}, err
	}
	defer response.Close()
	given := answer{}
	given.add("status", strconv.Itoa(response.Status))
	for name, values := range response.Header {
		given.add("header."+name, strings.Join(values, ", "))
	}
	given.body, err = response.Body()
	return given, err
}

func invokeInPieces(
	app, method string, data []byte, options *invoke.Options,
) (*invoke.Response, error) {
	request, err := invoke.Open(app, method, options)
	if err != nil {
		return nil, err
	}
	if err := inPieces(request, data); err != nil {
		request.Cancel()
		return nil, err
	}
	if err := request.Close(); err != nil {
		request.Cancel()
		return nil, err
	}
	return request.Response()
}

func inPieces(to io.Writer, data []byte) error {
	for piece := bytes.NewBuffer(data); piece.Len() > 0; {
		if _, err := to.Write(piece.Next(1000)); err != nil {
			return err
		}
	}
	return nil
}

func doSecret(r *request, function string) (answer, error) {
	store := r.take("store")
	if function == "get_bulk" {
		if !r.done() {
			return answer{}, nil
		}
		secrets, err := secret.GetBulk(store)
		if err != nil {
			return answer{}, err
		}
		var records []record
		for key, one := range secrets {
			records = append(records, record{Key: key, Values: one.Values()})
		}
		return list(records)
	}
	if function != "get" {
		return answer{}, errUnknown
	}
	key := r.take("key")
	options := &secret.Options{
		Version: r.take("metadata.version"), VersionID: r.take("metadata.version_id"),
		VersionStage: r.take("metadata.version_stage"),
	}
	if !r.done() {
		return answer{}, nil
	}
	one, err := secret.Get(store, key, options)
	given := answer{body: []byte(one.Text())}
	given.addAll("value.", one.Values())
	return given, err
}

func doConfiguration(r *request, function string) (answer, error) {
	if function != "get" {
		return answer{}, errUnknown
	}
	store, keys := r.take("store"), r.keys()
	options := &configuration.Options{Metadata: r.metadata()}
	if !r.done() {
		return answer{}, nil
	}
	items, err := configuration.Get(store, keys, options)
	if err != nil {
		return answer{}, err
	}
	var records []record
	for key, item := range items {
		records = append(records, record{
			Key: key, Value: &item.Value, Version: item.Version, Metadata: item.Metadata,
		})
	}
	return list(records)
}

func doLock(r *request, function string) (answer, error) {
	store, resource, owner := r.take("store"), r.take("resource"), r.take("owner")
	expiry := time.Duration(r.number("expiry")) * time.Second
	if !r.done() {
		return answer{}, nil
	}
	switch function {
	case "try_lock":
		return answer{}, lock.TryLock(store, resource, owner, expiry)
	case "unlock":
		return answer{}, lock.Unlock(store, resource, owner)
	}
	return answer{}, errUnknown
}

func doCrypto(r *request, function string) (answer, error) {
	component, key := r.take("component"), r.take("key")
	options := &crypto.EncryptOptions{
		Algorithm: r.take("algorithm"), Cipher: r.take("cipher"),
		DecryptionKey:     r.take("decryption-key"),
		OmitDecryptionKey: r.take("omit-decryption-key") == "true",
	}
	if !r.done() {
		return answer{}, nil
	}
	var stream *crypto.Stream
	var err error
	switch function {
	case "encrypt":
		body, err := crypto.Encrypt(component, key, r.data, options)
		return answer{body: body}, err
	case "decrypt":
		body, err := crypto.Decrypt(component, key, r.data)
		return answer{body: body}, err
	case "encrypt_open":
		stream, err = crypto.EncryptOpen(component, key, options)
	case "decrypt_open":
		stream, err = crypto.DecryptOpen(component, key)
	default:
		err = errUnknown
	}
	if err != nil {
		return answer{}, err
	}
	defer stream.Close()
	if err := inPieces(stream, r.data); err != nil {
		return answer{}, err
	}
	if err := stream.CloseWrite(); err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(stream)
	return answer{body: body}, err
}
