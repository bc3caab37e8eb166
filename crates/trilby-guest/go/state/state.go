// Package state reads and writes state stores: values by key, with etags against lost updates.
package state

import (
	"errors"

	"trilby.example/guest"
	"trilby.example/guest/internal/abi"
)

// Value is what a store holds under a key.
type Value struct {
	// Data is the value; empty if the key is missing.
	Data []byte
	// ETag is the value's version; empty if the key is missing.
	ETag string
	// Metadata is what the store adds, such as ttlExpireTime.
	Metadata map[string]string
}

// Exists tells whether the key is there.
func (v Value) Exists() bool {
	return v.ETag != ""
}

// Get reads a key. A missing one is no error: see [Value.Exists].
func Get(store, key string, options *GetOptions) (Value, error) {
	block, err := options.block()
	if err != nil {
		return Value{}, err
	}
	answer, err := abi.Open(hostGet(store, key, block))
	if err != nil {
		return Value{}, err
	}
	defer answer.Close()
	fields, err := answer.Headers()
	if err != nil {
		return Value{}, err
	}
	value := Value{Metadata: abi.Prefixed(fields, "metadata.")}
	for _, field := range fields {
		if field.Name == "etag" {
			value.ETag = field.Value
		}
	}
	if value.Data, err = answer.Body(); err != nil {
		return Value{}, err
	}
	return value, nil
}

// Set writes a key. With an etag that is not current, the error is [guest.ErrConflict].
func Set(store, key string, value []byte, options *SetOptions) error {
	block, err := options.block()
	if err != nil {
		return err
	}
	return abi.Done(hostSet(store, key, block, abi.View(value)))
}

// Delete removes a key; a missing one is no error.
func Delete(store, key string, options *DeleteOptions) error {
	block, err := options.block()
	if err != nil {
		return err
	}
	return abi.Done(hostDelete(store, key, block))
}

// attemptsMax is how often [Update] begins again. Of several writers that meet, one gets on in each
// round, and an unlucky one may wait for many rounds.
const attemptsMax = 100

// Update changes a key so that no other write is lost: it reads, calls change, and writes under the
// etag it has seen, from the start again when somebody was faster. An error of change ends it.
func Update(store, key string, change func(Value) ([]byte, error)) error {
	for attempt := 1; ; attempt++ {
		seen, err := Get(store, key, nil)
		if err != nil {
			return err
		}
		data, err := change(seen)
		if err != nil {
			return err
		}
		err = Set(store, key, data, &SetOptions{ETag: seen.ETag, Concurrency: FirstWrite})
		if err == nil || attempt == attemptsMax || !errors.Is(err, guest.ErrConflict) {
			return err
		}
	}
}

// Query asks for all values that meet a condition, in Dapr's JSON: filter, sort and page.
func Query(store, query string, options *QueryOptions) (QueryResult, error) {
	block, err := options.block()
	if err != nil {
		return QueryResult{}, err
	}
	answer, err := abi.Open(hostQuery(store, block, query))
	if err != nil {
		return QueryResult{}, err
	}
	defer answer.Close()
	var result QueryResult
	if result.Token, err = answer.Header("token"); err != nil {
		return QueryResult{}, err
	}
	result.Items, err = found(answer)
	return result, err
}

// QueryResult is what a query has found.
type QueryResult struct {
	Items []Found
	// Token is for the query's page, where there is more to be had.
	Token string
}
