package guest

import (
	"errors"
	"fmt"
	"testing"
)

func TestKinds(t *testing.T) {
	kinds := map[error]Code{
		ErrConflict: Aborted, ErrNotFound: NotFound, ErrDenied: PermissionDenied,
		ErrUnavailable: Unavailable, ErrDeadline: DeadlineExceeded,
	}
	for kind, code := range kinds {
		for result := int32(-16); result < 0; result++ {
			err := fmt.Errorf("wrapped: %w", &Error{Code: CodeOf(result)})
			if got, want := errors.Is(err, kind), CodeOf(result) == code; got != want {
				t.Errorf("errors.Is(%v, %v) = %v", err, kind, got)
			}
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, test := range []struct {
		result int32
		name   string
	}{
		{-1, "CANCELLED"}, {-10, "ABORTED"}, {-16, "UNAUTHENTICATED"},
		{-17, "UNKNOWN"}, {0, "UNKNOWN"}, {-1 << 31, "UNKNOWN"},
	} {
		if got := CodeOf(test.result).String(); got != test.name {
			t.Errorf("CodeOf(%d) = %s, not %s", test.result, got, test.name)
		}
	}
	if got := Code(99).String(); got != "CODE_99" {
		t.Errorf("Code(99) = %s", got)
	}
}

func TestParseError(t *testing.T) {
	for _, test := range []struct {
		text, reason, message, whole string
	}{
		{"code: 10\nname: ABORTED\nreason: ERR_STATE_SAVE\n\nlost: a: b\n", "ERR_STATE_SAVE",
			"lost: a: b", "ABORTED (ERR_STATE_SAVE): lost: a: b"},
		{"code: 10\nname: ABORTED\n\none\n\ntwo", "", "one\n\ntwo", "ABORTED: one\n\ntwo"},
		{"", "", "", "ABORTED"},
	} {
		err := ParseError(Aborted, test.text)
		if err.Reason != test.reason || err.Message != test.message || err.Error() != test.whole {
			t.Errorf("%q gives %+v, %q", test.text, err, err.Error())
		}
	}
}
