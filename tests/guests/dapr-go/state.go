package main

import "trilby.example/guest/state"

func doState(r *request, function string) (answer, error) {
	store := r.take("store")
	switch function {
	case "get", "set", "delete":
		return doKey(r, function, store, r.take("key"))
	case "get_bulk":
		options := &state.GetBulkOptions{Parallelism: r.number("parallelism"), Metadata: r.metadata()}
		keys := r.keys()
		if !r.done() {
			return answer{}, nil
		}
		items, err := state.GetBulk(store, keys, options)
		if err != nil {
			return answer{}, err
		}
		return list(found(items))
	case "set_bulk", "delete_bulk", "transact":
		return doList(r, function, store)
	case "query":
		options := &state.QueryOptions{Metadata: r.metadata()}
		if !r.done() {
			return answer{}, nil
		}
		result, err := state.Query(store, string(r.data), options)
		if err != nil {
			return answer{}, err
		}
		given, err := list(found(result.Items))
		given.add("token", result.Token)
		return given, err
	}
	return answer{}, errUnknown
}

func doKey(r *request, function, store, key string) (answer, error) {
	consistency := state.Consistency(r.take("consistency"))
	if function == "get" {
		options := &state.GetOptions{Consistency: consistency, Metadata: r.metadata()}
		if !r.done() {
			return answer{}, nil
		}
		value, err := state.Get(store, key, options)
		given := answer{body: value.Data}
		given.add("etag", value.ETag)
		given.addAll("metadata.", value.Metadata)
		return given, err
	}
	etag, concurrency := r.take("etag"), state.Concurrency(r.take("concurrency"))
	contentType, metadata := r.take("content-type"), r.metadata()
	if !r.done() {
		return answer{}, nil
	}
	if function == "delete" {
		return answer{}, state.Delete(store, key, &state.DeleteOptions{
			ETag: etag, Concurrency: concurrency, Consistency: consistency, Metadata: metadata,
		})
	}
	return answer{}, state.Set(store, key, r.data, &state.SetOptions{
		ETag: etag, Concurrency: concurrency, Consistency: consistency, ContentType: contentType,
		Metadata: metadata,
	})
}

func doList(r *request, function, store string) (answer, error) {
	var items []state.Item
	var deletions []state.Deletion
	var steps []state.Operation
	for _, one := range r.records() {
		item := state.Item{Key: one.Key, Value: either(one.Value, one.Value64)}
		item.ETag, item.Metadata, item.ContentType = one.ETag, one.Metadata, one.ContentType
		item.Concurrency = state.Concurrency(one.Concurrency)
		item.Consistency = state.Consistency(one.Consistency)
		deletion := state.Deletion{Key: one.Key, DeleteOptions: state.DeleteOptions{
			ETag: one.ETag, Concurrency: item.Concurrency, Consistency: item.Consistency,
			Metadata: one.Metadata,
		}}
		items, deletions = append(items, item), append(deletions, deletion)
		if one.Operation == "delete" {
			steps = append(steps, deletion)
		} else {
			steps = append(steps, item)
		}
	}
	options := &state.TransactOptions{}
	if function == "transact" {
		options.Metadata = r.metadata()
	}
	if !r.done() {
		return answer{}, nil
	}
	switch function {
	case "set_bulk":
		return answer{}, state.SetBulk(store, items)
	case "delete_bulk":
		return answer{}, state.DeleteBulk(store, deletions)
	}
	return answer{}, state.Transact(store, steps, options)
}

func found(items []state.Found) []record {
	var records []record
	for _, item := range items {
		one := record{Key: item.Key, ETag: item.ETag, Metadata: item.Metadata, Error: item.Error}
		if item.Exists() || item.Data != nil {
			one.Value, one.Value64 = split(item.Data)
		}
		records = append(records, one)
	}
	return records
}
