//go:build !wasip1

package guest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"trilby.example/guest"
	"trilby.example/guest/actor"
	"trilby.example/guest/binding"
	"trilby.example/guest/configuration"
	"trilby.example/guest/conversation"
	"trilby.example/guest/crypto"
	"trilby.example/guest/dapr"
	"trilby.example/guest/internal/abi"
	"trilby.example/guest/invoke"
	"trilby.example/guest/jobs"
	"trilby.example/guest/lock"
	"trilby.example/guest/metadata"
	"trilby.example/guest/pubsub"
	"trilby.example/guest/secret"
	"trilby.example/guest/state"
)

var meta = map[string]string{"b": "2", "a": "1"}

const metaBlock = "metadata.a: 1\nmetadata.b: 2\n"

// calls has every function of the SDK that calls a block, with all its options, and what the host
// is to see of it.
var calls = map[string]func() error{
	"dapr_state_v1|get|s|k|consistency: strong\n" + metaBlock: func() error {
		_, err := state.Get("s", "k", &state.GetOptions{Consistency: state.Strong, Metadata: meta})
		return err
	},
	"dapr_state_v1|get|s|k|": func() error { return second(state.Get("s", "k", nil)) },
	"dapr_state_v1|set|s|k|etag: 1\nconcurrency: first-write\nconsistency: eventual\n" +
		"content-type: application/json\n" + metaBlock + "|{}": func() error {
		return state.Set("s", "k", []byte("{}"), &state.SetOptions{
			ETag: "1", Concurrency: state.FirstWrite, Consistency: state.Eventual,
			ContentType: "application/json", Metadata: meta,
		})
	},
	"dapr_state_v1|set|s|k||": func() error { return state.Set("s", "k", nil, nil) },
	"dapr_state_v1|delete|s|k|etag: 1\nconcurrency: last-write\nconsistency: strong\n" +
		metaBlock: func() error {
		return state.Delete("s", "k", &state.DeleteOptions{
			ETag: "1", Concurrency: state.LastWrite, Consistency: state.Strong, Metadata: meta,
		})
	},
	"dapr_state_v1|get_bulk|s|parallelism: 2\n" + metaBlock + `|{"key":"a"}` + "\n" +
		`{"key":"\"b\\\u000a"}` + "\n": func() error {
		options := &state.GetBulkOptions{Parallelism: 2, Metadata: meta}
		return second(state.GetBulk("s", []string{"a", "\"b\\\n"}, options))
	},
	`dapr_state_v1|set_bulk|s||{"key":"a","value":"é","etag":"1","concurrency":"first-write",` +
		`"consistency":"strong","content-type":"text/x","metadata":{"a":"1","b":"2"}}` + "\n" +
		`{"key":"b","value-base64":"/w=="}` + "\n": func() error {
		return state.SetBulk("s", []state.Item{
			{Key: "a", Value: []byte("é"), SetOptions: state.SetOptions{
				ETag: "1", Concurrency: state.FirstWrite, Consistency: state.Strong,
				ContentType: "text/x", Metadata: meta,
			}},
			{Key: "b", Value: []byte{0xff}},
		})
	},
	`dapr_state_v1|delete_bulk|s||{"key":"a","etag":"1"}` + "\n" + `{"key":"b"}` + "\n": func() error {
		return state.DeleteBulk("s", []state.Deletion{
			{Key: "a", DeleteOptions: state.DeleteOptions{ETag: "1"}}, {Key: "b"},
		})
	},
	"dapr_state_v1|transact|s|" + metaBlock + `|{"operation":"upsert","key":"a","value":""}` + "\n" +
		`{"operation":"delete","key":"b"}` + "\n": func() error {
		steps := []state.Operation{state.Item{Key: "a"}, state.Deletion{Key: "b"}}
		return state.Transact("s", steps, &state.TransactOptions{Metadata: meta})
	},
	"dapr_state_v1|query|s|" + metaBlock + "|{}": func() error {
		return second(state.Query("s", "{}", &state.QueryOptions{Metadata: meta}))
	},
	"dapr_pubsub_v1|publish|p|t|content-type: text/x\n" + metaBlock + "|d": func() error {
		return pubsub.Publish("p", "t", []byte("d"), &pubsub.Options{ContentType: "text/x", Metadata: meta})
	},
	`dapr_pubsub_v1|publish_bulk|p|t||{"id":"x","data":"d","content-type":"text/x",` +
		`"metadata":{"a":"1","b":"2"}}` + "\n" + `{"data-base64":"gA=="}` + "\n": func() error {
		return second(pubsub.PublishBulk("p", "t", []pubsub.Event{
			{ID: "x", Data: []byte("d"), ContentType: "text/x", Metadata: meta}, {Data: []byte{0x80}},
		}, nil))
	},
	"dapr_binding_v1|invoke|b|create|" + metaBlock + "|d": func() error {
		return second(binding.Invoke("b", "create", []byte("d"), &binding.Options{Metadata: meta}))
	},
	"dapr_invoke_v1|call|app|/m|verb: PUT\nquery: x=1\ncontent-type: text/x\nheader.x-a: 1\n|d": func() error {
		return second(invoke.Call("app", "/m", []byte("d"), &invoke.Options{
			Verb: "PUT", Query: "x=1", ContentType: "text/x", Header: map[string]string{"x-a": "1"},
		}))
	},
	"dapr_invoke_v1|open|app|/m|": func() error { return second(invoke.Open("app", "/m", nil)) },
	"dapr_secret_v1|get|s|k|metadata.version: 1\nmetadata.version_id: 2\nmetadata.version_stage: 3\n": func() error {
		options := &secret.Options{Version: "1", VersionID: "2", VersionStage: "3"}
		return second(secret.Get("s", "k", options))
	},
	"dapr_secret_v1|get_bulk|s|": func() error { return second(secret.GetBulk("s")) },
	"dapr_configuration_v1|get|s|" + metaBlock + `|{"key":"a"}` + "\n": func() error {
		options := &configuration.Options{Metadata: meta}
		return second(configuration.Get("s", []string{"a"}, options))
	},
	"dapr_lock_v1|try_lock|s|r|o|expiry: 2\n": func() error {
		return lock.TryLock("s", "r", "o", 1500*time.Millisecond)
	},
	"dapr_lock_v1|unlock|s|r|o|": func() error { return lock.Unlock("s", "r", "o") },
	"dapr_jobs_v1|schedule|j|schedule: @daily\ndue-time: 10s\nrepeats: 3\nttl: 1h\noverwrite: true\n" +
		"failure-policy: constant\nfailure-interval: 1m30s\nfailure-retries: 4\n" +
		"content-type: application/json\n|{}": func() error {
		return jobs.Schedule("j", []byte("{}"), &jobs.Options{
			Schedule: "@daily", DueTime: "10s", Repeats: 3, TTL: "1h", Overwrite: true,
			FailurePolicy: jobs.Constant, FailureInterval: 90 * time.Second, FailureRetries: 4,
			ContentType: "application/json",
		})
	},
	"dapr_jobs_v1|get|j|":    func() error { return second(jobs.Get("j")) },
	"dapr_jobs_v1|delete|j|": func() error { return jobs.Delete("j") },
	"dapr_jobs_v1|list|":     func() error { return second(jobs.List()) },
	"dapr_crypto_v1|encrypt|c|k|algorithm: A256KW\ncipher: aes-gcm\ndecryption-key: d\n" +
		"omit-decryption-key: true\n|x": func() error {
		return second(crypto.Encrypt("c", "k", []byte("x"), &crypto.EncryptOptions{
			Algorithm: "A256KW", Cipher: "aes-gcm", DecryptionKey: "d", OmitDecryptionKey: true,
		}))
	},
	"dapr_crypto_v1|decrypt|c|k||x":       func() error { return second(crypto.Decrypt("c", "k", []byte("x"))) },
	"dapr_crypto_v1|encrypt_open|c|k|":    func() error { return second(crypto.EncryptOpen("c", "k", nil)) },
	"dapr_crypto_v1|decrypt_open|c|k|":    func() error { return second(crypto.DecryptOpen("c", "k")) },
	"dapr_conversation_v1|converse|c||{}": func() error { return second(conversation.Converse("c", []byte("{}"))) },
	"dapr_actor_v1|invoke|T|1|m|" + metaBlock + "|d": func() error {
		return second(actor.Invoke("T", "1", "m", []byte("d"), &actor.InvokeOptions{Metadata: meta}))
	},
	"dapr_actor_v1|get_state|T|1|k|": func() error { return second(actor.GetState("T", "1", "k")) },
	`dapr_actor_v1|transact_state|T|1||{"operation":"upsert","key":"a","value":"1"}` + "\n" +
		`{"operation":"delete","key":"b","metadata":{"a":"1","b":"2"}}` + "\n": func() error {
		return actor.TransactState("T", "1", []actor.Operation{
			{Key: "a", Value: []byte("1")}, {Key: "b", Delete: true, Metadata: meta},
		})
	},
	"dapr_actor_v1|register_reminder|T|1|n|due-time: 1s\nperiod: 2s\nttl: 3s\noverwrite: false\n|d": func() error {
		options := &actor.ReminderOptions{DueTime: "1s", Period: "2s", TTL: "3s", KeepOld: true}
		return actor.RegisterReminder("T", "1", "n", []byte("d"), options)
	},
	"dapr_actor_v1|get_reminder|T|1|n|":        func() error { return second(actor.GetReminder("T", "1", "n")) },
	"dapr_actor_v1|unregister_reminder|T|1|n|": func() error { return actor.UnregisterReminder("T", "1", "n") },
	"dapr_actor_v1|register_timer|T|1|n|due-time: 1s\nperiod: 2s\nttl: 3s\ncallback: c\n|d": func() error {
		options := &actor.TimerOptions{DueTime: "1s", Period: "2s", TTL: "3s", Callback: "c"}
		return actor.RegisterTimer("T", "1", "n", []byte("d"), options)
	},
	"dapr_actor_v1|unregister_timer|T|1|n|": func() error { return actor.UnregisterTimer("T", "1", "n") },
	"dapr_metadata_v1|get|":                 func() error { return second(metadata.Get()) },
	"dapr_metadata_v1|set|k|v|":             func() error { return metadata.Set("k", "v") },
	"dapr_v1|call|ListActorReminders|" + metaBlock + "|x": func() error {
		return second(dapr.Call("ListActorReminders", []byte("x"), &dapr.Options{Metadata: meta}))
	},
}

func second[T any](_ T, err error) error { return err }

func TestCalls(t *testing.T) {
	for want, call := range calls {
		host := &abi.Fake{Result: 1, Headers: "status: 200\n"}
		abi.Use(t, host)
		if err := call(); err != nil {
			t.Errorf("%q fails: %v", want, err)
		}
		if len(host.Calls) != 1 || host.Calls[0] != want {
			t.Errorf("the host sees %q, not %q", host.Calls, want)
		}
	}
}

func TestRefusedCalls(t *testing.T) {
	text := "code: 7\nname: PERMISSION_DENIED\nreason: TRILBY_GRANT\n\nadd a grant"
	for name, call := range calls {
		host := &abi.Fake{Result: -7, Text: text}
		abi.Use(t, host)
		err := call()
		var refused *guest.Error
		if !errors.Is(err, guest.ErrDenied) || !errors.As(err, &refused) {
			t.Fatalf("%q gives %v", name, err)
		}
		if refused.Reason != "TRILBY_GRANT" || refused.Message != "add a grant" {
			t.Errorf("%q gives %+v", name, refused)
		}
	}
}

func TestCallsWithoutHost(t *testing.T) {
	for name, call := range calls {
		var missing *guest.Error
		if err := call(); !errors.As(err, &missing) || missing.Code != guest.Unimplemented {
			t.Errorf("%q gives %v", name, err)
		}
	}
}

// Calls that the host must not even see, since it would see another one.
func TestCallsThatCannotBe(t *testing.T) {
	smuggle := map[string]string{"a": "1\netag: 2"}
	for name, call := range map[string]func() error{
		"a value of two lines": func() error {
			return state.Set("s", "k", nil, &state.SetOptions{Metadata: smuggle})
		},
		"a name with a colon": func() error {
			return pubsub.Publish("p", "t", nil, &pubsub.Options{Metadata: map[string]string{"a:b": ""}})
		},
		"a key that is not UTF-8": func() error { return second(state.GetBulk("s", []string{"\xff"}, nil)) },
		"metadata that is not UTF-8": func() error {
			item := state.Item{Key: "k", SetOptions: state.SetOptions{Metadata: map[string]string{"\xff": ""}}}
			return state.SetBulk("s", []state.Item{item})
		},
	} {
		host := &abi.Fake{Result: 1}
		abi.Use(t, host)
		var refused *guest.Error
		if err := call(); !errors.As(err, &refused) || refused.Code != guest.InvalidArgument {
			t.Errorf("%s gives %v", name, err)
		}
		if len(host.Calls) != 0 {
			t.Errorf("%s is seen by the host: %s", name, strings.Join(host.Calls, ", "))
		}
	}
}
