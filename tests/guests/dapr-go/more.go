package main

import (
	"strconv"
	"time"

	"trilby.example/guest/actor"
	"trilby.example/guest/conversation"
	"trilby.example/guest/dapr"
	"trilby.example/guest/jobs"
	"trilby.example/guest/metadata"
)

func doJobs(r *request, function string) (answer, error) {
	if function == "list" {
		return listJobs(r)
	}
	name := r.take("name")
	options := &jobs.Options{
		Schedule: r.take("schedule"), DueTime: r.take("due-time"), Repeats: r.number("repeats"),
		TTL: r.take("ttl"), Overwrite: r.take("overwrite") == "true",
		FailurePolicy:  jobs.FailurePolicy(r.take("failure-policy")),
		FailureRetries: r.number("failure-retries"), ContentType: r.take("content-type"),
	}
	if interval := r.take("failure-interval"); interval != "" {
		var err error
		options.FailureInterval, err = time.ParseDuration(interval)
		r.keep(err)
	}
	if !r.done() {
		return answer{}, nil
	}
	switch function {
	case "schedule":
		return answer{}, jobs.Schedule(name, r.data, options)
	case "delete":
		return answer{}, jobs.Delete(name)
	case "get":
		job, err := jobs.Get(name)
		given := answer{body: job.Data}
		given.add("schedule", job.Schedule)
		given.add("due-time", job.DueTime)
		given.add("ttl", job.TTL)
		given.add("content-type", job.ContentType)
		if job.Repeats != 0 {
			given.add("repeats", strconv.FormatUint(uint64(job.Repeats), 10))
		}
		return given, err
	}
	return answer{}, errUnknown
}

func listJobs(r *request) (answer, error) {
	if !r.done() {
		return answer{}, nil
	}
	all, err := jobs.List()
	if err != nil {
		return answer{}, err
	}
	var records []record
	for _, job := range all {
		one := record{
			Name: job.Name, Schedule: job.Schedule, DueTime: job.DueTime, Repeats: job.Repeats,
			TTL: job.TTL, ContentType: job.ContentType,
		}
		one.Data, one.Data64 = split(job.Data)
		records = append(records, one)
	}
	return list(records)
}

func doConversation(r *request, function string) (answer, error) {
	component := r.take("component")
	if function != "converse" {
		return answer{}, errUnknown
	}
	if !r.done() {
		return answer{}, nil
	}
	body, err := conversation.Converse(component, r.data)
	return answer{body: body}, err
}

func doActor(r *request, function string) (answer, error) {
	kind, id := r.take("type"), r.take("id")
	switch function {
	case "invoke":
		method, options := r.take("method"), &actor.InvokeOptions{Metadata: r.metadata()}
		if !r.done() {
			return answer{}, nil
		}
		body, err := actor.Invoke(kind, id, method, r.data, options)
		return answer{body: body}, err
	case "get_state":
		key := r.take("key")
		if !r.done() {
			return answer{}, nil
		}
		body, err := actor.GetState(kind, id, key)
		return answer{body: body}, err
	case "transact_state":
		var steps []actor.Operation
		for _, one := range r.records() {
			steps = append(steps, actor.Operation{
				Key: one.Key, Delete: one.Operation == "delete",
				Value: either(one.Value, one.Value64), Metadata: one.Metadata,
			})
		}
		if !r.done() {
			return answer{}, nil
		}
		return answer{}, actor.TransactState(kind, id, steps)
	}
	return doReminder(r, function, kind, id)
}

func doReminder(r *request, function, kind, id string) (answer, error) {
	name := r.take("name")
	dueTime, period, ttl := r.take("due-time"), r.take("period"), r.take("ttl")
	reminder := &actor.ReminderOptions{
		DueTime: dueTime, Period: period, TTL: ttl, KeepOld: r.take("overwrite") == "false",
	}
	timer := &actor.TimerOptions{
		DueTime: dueTime, Period: period, TTL: ttl, Callback: r.take("callback"),
	}
	if !r.done() {
		return answer{}, nil
	}
	switch function {
	case "register_reminder":
		return answer{}, actor.RegisterReminder(kind, id, name, r.data, reminder)
	case "unregister_reminder":
		return answer{}, actor.UnregisterReminder(kind, id, name)
	case "register_timer":
		return answer{}, actor.RegisterTimer(kind, id, name, r.data, timer)
	case "unregister_timer":
		return answer{}, actor.UnregisterTimer(kind, id, name)
	case "get_reminder":
		told, err := actor.GetReminder(kind, id, name)
		given := answer{body: told.Data}
		given.add("due-time", told.DueTime)
		given.add("period", told.Period)
		given.add("ttl", told.TTL)
		return given, err
	}
	return answer{}, errUnknown
}

func doMetadata(r *request, function string) (answer, error) {
	key, value := r.take("key"), r.take("value")
	if !r.done() {
		return answer{}, nil
	}
	switch function {
	case "get":
		body, err := metadata.Get()
		return answer{body: body}, err
	case "set":
		return answer{}, metadata.Set(key, value)
	}
	return answer{}, errUnknown
}

func doDapr(r *request, function string) (answer, error) {
	method, options := r.take("method"), &dapr.Options{Metadata: r.metadata()}
	if function != "call" {
		return answer{}, errUnknown
	}
	if !r.done() {
		return answer{}, nil
	}
	body, err := dapr.Call(method, r.data, options)
	return answer{body: body}, err
}
