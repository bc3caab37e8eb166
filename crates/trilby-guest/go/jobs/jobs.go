// Package jobs schedules jobs. They come as requests: see package event.
package jobs

import (
	"strconv"
	"time"

	"trilby.example/guest"
	"trilby.example/guest/internal/abi"
)

// FailurePolicy is what happens to deliveries that fail.
type FailurePolicy string

const (
	// Drop forgets a delivery that failed.
	Drop FailurePolicy = "drop"
	// Constant tries again, each time after the same interval.
	Constant FailurePolicy = "constant"
)

// Options are the options of [Schedule]. Schedule or DueTime must be there.
type Options struct {
	// Schedule is a cron expression of 6 fields, or `@every 10s`, `@daily` and the like.
	Schedule string
	// DueTime is the first time: RFC 3339, or a duration such as 10s.
	DueTime string
	// Repeats is how often at most; 0 leaves it open.
	Repeats uint32
	// TTL is when it ends: RFC 3339, or a duration.
	TTL string
	// Overwrite takes the place of a job of the same name, which is an error otherwise.
	Overwrite bool
	// FailurePolicy is Dapr's own if it is empty.
	FailurePolicy FailurePolicy
	// FailureInterval is the time between tries of Constant; 0 leaves it to Dapr.
	FailureInterval time.Duration
	// FailureRetries is how often Constant tries again; 0 leaves it to Dapr.
	FailureRetries uint32
	// ContentType is application/json for data that is JSON; anything else is bytes.
	ContentType string
}

// Job is a job that is scheduled.
type Job struct {
	Name, Schedule, DueTime, TTL string
	// Repeats is how often at most; 0 if that is open.
	Repeats     uint32
	Data        []byte
	ContentType string
}

// Schedule has a job started at its times.
func Schedule(name string, data []byte, options *Options) error {
	block, err := options.block()
	if err != nil {
		return err
	}
	return abi.Done(hostSchedule(name, block, abi.View(data)))
}

// Get tells about a job. When there is none, the error is guest.ErrNotFound.
func Get(name string) (Job, error) {
	answer, err := abi.Open(hostGet(name, ""))
	if err != nil {
		return Job{}, err
	}
	defer answer.Close()
	fields, err := answer.Headers()
	if err != nil {
		return Job{}, err
	}
	job := Job{Name: name}
	for _, field := range fields {
		switch field.Name {
		case "schedule":
			job.Schedule = field.Value
		case "due-time":
			job.DueTime = field.Value
		case "ttl":
			job.TTL = field.Value
		case "content-type":
			job.ContentType = field.Value
		case "repeats":
			repeats, err := strconv.ParseUint(field.Value, 10, 32)
			if err != nil {
				message := "the host's answer has unreadable repeats: " + err.Error()
				return Job{}, &guest.Error{Code: guest.Internal, Message: message}
			}
			job.Repeats = uint32(repeats)
		}
	}
	job.Data, err = answer.Body()
	return job, err
}

// Delete removes a job; a missing one is no error.
func Delete(name string) error {
	return abi.Done(hostDelete(name, ""))
}

// List are the jobs that are granted.
func List() ([]Job, error) {
	body, err := abi.Whole(hostList(""))
	if err != nil {
		return nil, err
	}
	type record struct {
		Name, Schedule, TTL string
		DueTime             string `json:"due-time"`
		Repeats             uint32
		Data                *string
		Base64              []byte `json:"data-base64"`
		ContentType         string `json:"content-type"`
	}
	records, err := abi.Parse[record](body)
	if err != nil {
		return nil, err
	}
	jobs := make([]Job, len(records))
	for i, r := range records {
		jobs[i] = Job{
			Name: r.Name, Schedule: r.Schedule, DueTime: r.DueTime, TTL: r.TTL, Repeats: r.Repeats,
			Data: abi.Either(r.Data, r.Base64), ContentType: r.ContentType,
		}
	}
	return jobs, nil
}

func (o *Options) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("schedule", o.Schedule)
	options.Text("due-time", o.DueTime)
	options.Number("repeats", o.Repeats)
	options.Text("ttl", o.TTL)
	options.Flag("overwrite", o.Overwrite)
	options.Text("failure-policy", string(o.FailurePolicy))
	if o.FailureInterval != 0 {
		options.Text("failure-interval", o.FailureInterval.String())
	}
	options.Number("failure-retries", o.FailureRetries)
	options.Text("content-type", o.ContentType)
	return options.Block()
}
