package state

import "trilby.example/guest/internal/abi"

// Item is one key to write in [SetBulk].
type Item struct {
	Key   string
	Value []byte
	SetOptions
}

// Deletion is one key to remove in [DeleteBulk].
type Deletion struct {
	Key string
	DeleteOptions
}

// Operation is one step of [Transact]: an [Item] to write or a [Deletion].
type Operation interface {
	operation(*abi.Records)
}

// Found is one key that was read.
type Found struct {
	Key string
	Value
	// Error is what the store says of a key that could not be read; empty otherwise.
	Error string
}

// GetBulk reads many keys. There is one answer for each, in any order.
func GetBulk(store string, keys []string, options *GetBulkOptions) ([]Found, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	list, err := abi.Keys(keys)
	if err != nil {
		return nil, err
	}
	answer, err := abi.Open(hostGetBulk(store, block, list))
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	return found(answer)
}

// SetBulk writes many keys. It is not atomic: good items are written even when another fails.
func SetBulk(store string, items []Item) error {
	var records abi.Records
	for _, item := range items {
		item.fields(&records)
		records.End()
	}
	list, err := records.List()
	if err != nil {
		return err
	}
	return abi.Done(hostSetBulk(store, "", list))
}

// DeleteBulk removes many keys. It is not atomic.
func DeleteBulk(store string, deletions []Deletion) error {
	var records abi.Records
	for _, deletion := range deletions {
		deletion.fields(&records)
		records.End()
	}
	list, err := records.List()
	if err != nil {
		return err
	}
	return abi.Done(hostDeleteBulk(store, "", list))
}

// Transact does all steps in order, or none. (state.redis keeps what comes before a lost race.)
func Transact(store string, operations []Operation, options *TransactOptions) error {
	block, err := options.block()
	if err != nil {
		return err
	}
	var records abi.Records
	for _, step := range operations {
		step.operation(&records)
		records.End()
	}
	list, err := records.List()
	if err != nil {
		return err
	}
	return abi.Done(hostTransact(store, block, list))
}

func (i Item) operation(records *abi.Records) {
	records.Text("operation", "upsert")
	i.fields(records)
}

func (i Item) fields(records *abi.Records) {
	records.Text("key", i.Key)
	records.Bytes("value", i.Value)
	records.Text("etag", i.ETag)
	records.Text("concurrency", string(i.Concurrency))
	records.Text("consistency", string(i.Consistency))
	records.Text("content-type", i.ContentType)
	records.Metadata(i.Metadata)
}

func (d Deletion) operation(records *abi.Records) {
	records.Text("operation", "delete")
	d.fields(records)
}

func (d Deletion) fields(records *abi.Records) {
	records.Text("key", d.Key)
	records.Text("etag", d.ETag)
	records.Text("concurrency", string(d.Concurrency))
	records.Text("consistency", string(d.Consistency))
	records.Metadata(d.Metadata)
}

func found(answer *abi.Answer) ([]Found, error) {
	body, err := answer.Body()
	if err != nil {
		return nil, err
	}
	type record struct {
		Key      string
		Value    *string
		Base64   []byte `json:"value-base64"`
		ETag     string
		Metadata map[string]string
		Error    string
	}
	records, err := abi.Parse[record](body)
	if err != nil {
		return nil, err
	}
	items := make([]Found, len(records))
	for i, r := range records {
		value := Value{Data: abi.Either(r.Value, r.Base64), ETag: r.ETag, Metadata: r.Metadata}
		items[i] = Found{Key: r.Key, Value: value, Error: r.Error}
	}
	return items, nil
}
