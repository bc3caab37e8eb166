package state

import "trilby.example/guest/internal/abi"

// Consistency is how far a read or write must have come in the store before it counts.
type Consistency string

const (
	// Eventual means that replicas may lag behind.
	Eventual Consistency = "eventual"
	// Strong means that all replicas agree.
	Strong Consistency = "strong"
)

// Concurrency is who wins when two write at once.
type Concurrency string

const (
	// FirstWrite lets the first win: a write without an etag succeeds only on a missing key.
	FirstWrite Concurrency = "first-write"
	// LastWrite lets the last win: a write without an etag overwrites.
	LastWrite Concurrency = "last-write"
)

// GetOptions are the options of [Get].
type GetOptions struct {
	Consistency Consistency
	// Metadata is passed to the component.
	Metadata map[string]string
}

func (o *GetOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("consistency", string(o.Consistency))
	options.Metadata(o.Metadata)
	return options.Block()
}

// SetOptions are the options of [Set].
type SetOptions struct {
	// ETag is the version to replace; any if it is empty and Concurrency is not FirstWrite.
	ETag        string
	Concurrency Concurrency
	Consistency Consistency
	// ContentType is the value's media type; with application/json the value must parse.
	ContentType string
	// Metadata is passed to the component, such as ttlInSeconds.
	Metadata map[string]string
}

func (o *SetOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("etag", o.ETag)
	options.Text("concurrency", string(o.Concurrency))
	options.Text("consistency", string(o.Consistency))
	options.Text("content-type", o.ContentType)
	options.Metadata(o.Metadata)
	return options.Block()
}

// DeleteOptions are the options of [Delete].
type DeleteOptions struct {
	// ETag is the version to delete; any if it is empty.
	ETag        string
	Concurrency Concurrency
	Consistency Consistency
	// Metadata is passed to the component.
	Metadata map[string]string
}

func (o *DeleteOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("etag", o.ETag)
	options.Text("concurrency", string(o.Concurrency))
	options.Text("consistency", string(o.Consistency))
	options.Metadata(o.Metadata)
	return options.Block()
}

// GetBulkOptions are the options of [GetBulk].
type GetBulkOptions struct {
	// Parallelism is how many keys the store may read at once: a hint; 0 leaves it to the store.
	Parallelism uint32
	// Metadata is passed to the component.
	Metadata map[string]string
}

func (o *GetBulkOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Number("parallelism", o.Parallelism)
	options.Metadata(o.Metadata)
	return options.Block()
}

// TransactOptions are the options of [Transact].
type TransactOptions struct {
	// Metadata is passed to the component.
	Metadata map[string]string
}

func (o *TransactOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Metadata(o.Metadata)
	return options.Block()
}

// QueryOptions are the options of [Query].
type QueryOptions struct {
	// Metadata is passed to the component.
	Metadata map[string]string
}

func (o *QueryOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Metadata(o.Metadata)
	return options.Block()
}
