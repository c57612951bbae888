"""One access token for all functions: who refreshes, who waits, and how often Zoho is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from bigin_import.bigin.token_store import (
    EARLY_SECONDS,
    LEASE_SECONDS,
    MAX_REFRESHES,
    PAUSE_SECONDS,
    RESERVE_SECONDS,
    WINDOW_SECONDS,
)
from bigin_import.domain.locks import FreshToken, SharedToken
from bigin_import.errors import (
    AwsError,
    AwsRefusedError,
    AwsUnavailableError,
    BiginAccessError,
    BiginBusyError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginUnreachableError,
    ConflictError,
)
from bigin_import.ports import AccessTokens
from tests.fakes.manual_clock import START, ManualClock
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_token_secret import MemoryTokenSecret
from tests.fakes.shared_token import shared_token

HOUR = 3600


class CountingAccounts:
    """The Accounts port: "token-1", "token-2", ...; or raises *failure* while there is one."""

    def __init__(self) -> None:
        self.refreshes = 0
        self.version = "version-1"
        self.failure: BiginError | None = None
        self.while_refreshing: Callable[[], object] = lambda: None

    def read_version(self) -> str:
        return self.version

    def refresh(self) -> FreshToken:
        self.refreshes += 1
        made = f"token-{self.refreshes}"
        self.while_refreshing()
        if self.failure is not None:
            raise self.failure
        return FreshToken(made, HOUR, ("ZohoBigin.bulk.ALL",))


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.secret = MemoryTokenSecret()
        self.accounts = CountingAccounts()
        self.reported: list[AwsError] = []
        self.tokens = self.function()

    def function(self) -> AccessTokens:
        """Return the tokens of another function on the same ledger."""
        return self.function_with(self.clock)

    def function_with(self, clock: ManualClock) -> AccessTokens:
        return shared_token(
            self.accounts, clock, ledger=self.ledger, secret=self.secret, reported=self.reported
        )

    def stored(self) -> SharedToken:
        record = self.ledger.load(SharedToken.at())
        assert record is not None
        return record

    def store(self, record: SharedToken) -> None:
        self.ledger.save(record)


@pytest.fixture
def world() -> World:
    return World()


def revoked() -> BiginAccessError:
    return BiginAccessError("no", code="invalid_code", resolution="mend it")


def test_the_first_caller_refreshes_and_everybody_else_takes_that_token(world: World) -> None:
    tokens = [world.function().get_token() for _ in range(5)]

    assert tokens == ["token-1"] * 5
    assert world.accounts.refreshes == 1


def test_a_token_is_refreshed_five_minutes_before_it_ends(world: World) -> None:
    world.tokens.get_token()

    world.clock.advance(HOUR - EARLY_SECONDS - 1)
    just_before = world.tokens.get_token()
    world.clock.advance(1)
    just_after = world.tokens.get_token()

    assert (just_before, just_after) == ("token-1", "token-2")


def test_while_one_refreshes_early_the_others_use_what_there_is(world: World) -> None:
    world.tokens.get_token()
    world.clock.advance(HOUR - EARLY_SECONDS)
    seen: list[str] = []
    world.accounts.while_refreshing = lambda: seen.append(world.function().get_token())

    mine = world.tokens.get_token()

    assert (mine, seen) == ("token-2", ["token-1"])
    assert world.accounts.refreshes == 2


def test_a_refused_token_is_replaced_by_a_fresh_one(world: World) -> None:
    refused = world.tokens.get_token()

    assert world.tokens.renew_token(refused) == "token-2"
    assert world.tokens.get_token() == "token-2"


def test_many_callers_with_one_refused_token_cause_one_refresh(world: World) -> None:
    refused = world.tokens.get_token()

    tokens = [world.function().renew_token(refused) for _ in range(5)]

    assert tokens == ["token-2"] * 5
    assert world.accounts.refreshes == 2


def test_a_refused_token_is_not_used_while_another_function_refreshes(world: World) -> None:
    refused = world.tokens.get_token()
    held = replace(world.stored(), refresh_until=START + 10, refreshed_at=(START,))
    world.store(held)

    token = world.tokens.renew_token(refused)

    assert token == "token-2"
    assert sum(world.clock.slept) >= 10  # it waited until the dead holder's lease had ended


def test_a_waiting_caller_takes_the_token_of_the_holder(world: World) -> None:
    world.store(SharedToken(refresh_until=START + LEASE_SECONDS))

    class Holder(ManualClock):
        """A clock on which the holder of the lease finishes during the second wait."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 2:
                named = world.secret.write("theirs")
                done = replace(world.stored(), token_version=named, valid_until=START + HOUR)
                world.store(replace(done, refresh_until=0))

    waiting = world.function_with(Holder())

    assert waiting.get_token() == "theirs"
    assert world.accounts.refreshes == 0


def test_a_holder_whose_clock_is_ahead_is_waited_for_like_any_other(world: World) -> None:
    world.store(SharedToken(refresh_until=START + LEASE_SECONDS + 5))
    world.clock.begin(remaining_seconds=RESERVE_SECONDS + 2)

    with pytest.raises(BiginBusyError):
        world.tokens.get_token()

    assert world.clock.slept == [1, 1]


def test_nobody_waits_for_ever(world: World) -> None:
    world.store(SharedToken(refresh_until=START + LEASE_SECONDS))

    with pytest.raises(BiginBusyError) as caught:
        world.tokens.get_token()

    assert caught.value.retry_after_seconds is not None
    assert sum(world.clock.slept) < LEASE_SECONDS


def test_who_has_to_answer_soon_does_not_wait_for_another(world: World) -> None:
    world.store(SharedToken(refresh_until=START + LEASE_SECONDS))
    world.clock.begin(remaining_seconds=RESERVE_SECONDS + 2)

    with pytest.raises(BiginBusyError):
        world.tokens.get_token()

    assert world.clock.slept == [1, 1]


def test_the_loser_of_a_race_for_the_lease_takes_the_winners_token(world: World) -> None:
    def outrun(moment: str, call: str, subject: object) -> None:
        if (moment, call) == ("before", "save") and not others:
            others.append("")
            others[0] = world.function().get_token()

    others: list[str] = []
    world.ledger._hook = outrun

    mine = world.tokens.get_token()

    assert (mine, others) == ("token-1", ["token-1"])
    assert world.accounts.refreshes == 1


def test_a_holder_whose_lease_ran_out_takes_the_newer_token(world: World) -> None:
    def stall() -> None:
        world.accounts.while_refreshing = lambda: None
        world.clock.advance(LEASE_SECONDS)
        world.function().get_token()

    world.accounts.while_refreshing = stall

    assert world.tokens.get_token() == "token-2"
    assert world.secret.versions[world.stored().token_version] == "token-2"


def test_ten_refreshes_in_ten_minutes_are_the_end_whatever_the_parallelism(world: World) -> None:
    token = world.tokens.get_token()
    for _ in range(MAX_REFRESHES - 1):
        token = world.function().renew_token(token)

    with pytest.raises(BiginBusyError) as caught:
        world.function().renew_token(token)

    assert world.accounts.refreshes == MAX_REFRESHES
    assert caught.value.retry_after_seconds == WINDOW_SECONDS
    world.clock.advance(WINDOW_SECONDS)
    assert world.function().renew_token(token) == f"token-{MAX_REFRESHES + 1}"


def test_a_refresh_that_died_counts_among_the_ten(world: World) -> None:
    class Killed(BaseException):
        """The platform ended the function."""

    def die() -> None:
        raise Killed

    world.accounts.while_refreshing = die
    for _ in range(MAX_REFRESHES):
        with pytest.raises(Killed):
            world.tokens.get_token()
        world.clock.advance(LEASE_SECONDS)

    with pytest.raises(BiginBusyError):
        world.tokens.get_token()


def test_a_refused_refresh_token_stops_everybody_and_is_tried_again_later(world: World) -> None:
    world.accounts.failure = revoked()
    with pytest.raises(BiginAccessError):
        world.tokens.get_token()

    with pytest.raises(BiginAccessError) as caught:
        world.function().get_token()
    asked_while_paused = world.accounts.refreshes
    world.clock.advance(PAUSE_SECONDS)
    world.accounts.failure = None
    mended = world.function().get_token()

    assert caught.value.code == "invalid_code"
    assert asked_while_paused == 1
    assert mended == "token-2"
    assert world.stored().refused is None


def test_a_refusal_is_remembered_with_the_version_of_the_secret(world: World) -> None:
    world.tokens.get_token()
    assert world.stored().credentials_version == "version-1"
    world.accounts.failure = revoked()
    world.accounts.version = "version-2"

    with pytest.raises(BiginAccessError):
        world.tokens.renew_token("token-1")

    assert (world.stored().refused, world.stored().credentials_version) == (
        "invalid_code",
        "version-2",
    )


def test_a_token_that_still_lives_is_used_though_the_refresh_token_is_refused(
    world: World,
) -> None:
    world.tokens.get_token()
    world.accounts.failure = revoked()
    world.clock.advance(HOUR - EARLY_SECONDS)
    with pytest.raises(BiginAccessError):
        world.tokens.get_token()

    assert world.function().get_token() == "token-1"


def test_while_one_tries_again_the_others_still_hear_of_the_refusal(world: World) -> None:
    world.accounts.failure = revoked()
    with pytest.raises(BiginAccessError):
        world.tokens.get_token()
    world.clock.advance(PAUSE_SECONDS)
    heard: list[type[BiginError]] = []

    def ask() -> None:
        with pytest.raises(BiginAccessError) as caught:
            world.function().get_token()
        heard.append(caught.type)

    world.accounts.while_refreshing = ask
    with pytest.raises(BiginAccessError):
        world.tokens.get_token()

    assert heard == [BiginAccessError]
    assert world.accounts.refreshes == 2


def test_too_many_refreshes_keep_everybody_from_asking_for_some_minutes(world: World) -> None:
    world.accounts.failure = BiginBusyError("Access Denied")
    with pytest.raises(BiginBusyError):
        world.tokens.get_token()

    with pytest.raises(BiginBusyError):
        world.function().get_token()

    assert world.accounts.refreshes == 1
    assert world.clock.slept == []


def test_after_a_lost_connection_the_next_caller_tries_at_once(world: World) -> None:
    world.accounts.failure = BiginUnreachableError("down")
    with pytest.raises(BiginUnreachableError):
        world.tokens.get_token()
    world.accounts.failure = None

    assert world.function().get_token() == "token-2"


def test_a_try_that_never_reached_zoho_is_not_counted(world: World) -> None:
    world.accounts.failure = BiginUnreachableError("down")
    for _ in range(MAX_REFRESHES + 1):
        with pytest.raises(BiginUnreachableError):
            world.tokens.get_token()
    world.accounts.failure = None

    assert world.tokens.get_token() == f"token-{MAX_REFRESHES + 2}"


def test_after_an_unclear_answer_the_next_try_waits_for_the_lease_to_end(world: World) -> None:
    world.accounts.failure = BiginOutcomeUnknownError("no readable answer")
    with pytest.raises(BiginUnreachableError):
        world.tokens.get_token()

    with pytest.raises(BiginBusyError):
        world.function().get_token()
    asked_under_the_lease = world.accounts.refreshes
    world.clock.advance(LEASE_SECONDS)
    world.accounts.failure = None

    assert asked_under_the_lease == 1
    assert world.function().get_token() == "token-2"


@pytest.mark.parametrize(
    "failure",
    [
        BiginUnreachableError("down"),
        BiginBusyError("Access Denied"),
        BiginOutcomeUnknownError("no readable answer"),
    ],
)
def test_a_token_that_lives_five_more_minutes_is_used_if_no_new_one_can_be_had(
    world: World, failure: BiginError
) -> None:
    world.tokens.get_token()
    world.clock.advance(HOUR - EARLY_SECONDS)
    world.accounts.failure = failure

    assert world.tokens.get_token() == "token-1"
    assert world.function().get_token() == "token-1"


@pytest.mark.parametrize("failure", [BiginUnreachableError("down"), BiginBusyError("wait")])
def test_a_token_that_has_ended_or_was_refused_is_never_used(
    world: World, failure: BiginError
) -> None:
    refused = world.tokens.get_token()
    world.accounts.failure = failure

    with pytest.raises(type(failure)):
        world.tokens.renew_token(refused)
    world.clock.advance(HOUR)
    with pytest.raises(type(failure)):
        world.tokens.get_token()


def test_after_an_unclear_refresh_the_call_that_wants_the_token_is_certainly_not_sent(
    world: World,
) -> None:
    world.accounts.failure = BiginOutcomeUnknownError("no readable answer")

    with pytest.raises(BiginUnreachableError) as caught:
        world.tokens.get_token()

    assert not caught.value.maybe_done


def test_every_write_is_conditional_so_that_a_conflict_is_read_again(world: World) -> None:
    def conflict(moment: str, call: str, subject: object) -> None:
        if (moment, call) == ("before", "save") and len(conflicts) < 3:
            conflicts.append(call)
            raise ConflictError("somebody else")

    conflicts: list[str] = []
    world.ledger._hook = conflict

    assert world.tokens.get_token() == "token-1"
    assert len(conflicts) == 3


def test_the_ledger_names_the_version_and_never_has_the_token(world: World) -> None:
    token = world.tokens.get_token()

    record = world.stored()
    assert world.secret.versions == {record.token_version: token}
    assert token not in str(asdict(record).values())


def test_the_token_that_the_release_before_kept_in_the_ledger_is_taken_out(world: World) -> None:
    world.store(SharedToken(access_token="theirs", valid_until=START + HOUR))

    token = world.tokens.get_token()

    assert (token, world.stored().access_token) == ("token-1", "")


def test_the_secret_is_written_before_the_ledger_names_its_version(world: World) -> None:
    def look(moment: str, call: str, subject: object) -> None:
        if moment == "before" and isinstance(subject, SharedToken) and subject.token_version:
            assert world.secret.versions[subject.token_version] == "token-1"
            named.append(subject.token_version)

    named: list[str] = []
    world.ledger._hook = look

    world.tokens.get_token()

    assert named == [world.stored().token_version]


def test_exactly_the_version_that_the_ledger_names_is_asked_for(world: World) -> None:
    world.tokens.get_token()
    named = world.stored().token_version
    world.secret.write("of a holder whose lease ran out before it could name it")

    assert world.function().get_token() == "token-1"
    assert world.secret.reads == [named]


def test_where_that_version_is_gone_the_current_one_serves(world: World) -> None:
    world.tokens.get_token()
    world.secret.versions = {"later": "the current one"}

    assert world.function().get_token() == "the current one"
    assert world.accounts.refreshes == 1


def test_a_secret_that_has_no_value_any_more_is_filled_again(world: World) -> None:
    world.tokens.get_token()
    world.secret.versions.clear()

    assert world.function().get_token() == "token-2"


def test_a_token_is_kept_in_memory_until_the_ledger_names_another(world: World) -> None:
    other = world.function()
    first = world.tokens.get_token()

    tokens = [other.get_token() for _ in range(5)]
    read_for_the_first = len(world.secret.reads)
    world.tokens.renew_token(first)
    tokens += [other.get_token() for _ in range(5)]

    assert tokens == ["token-1"] * 5 + ["token-2"] * 5
    assert (read_for_the_first, len(world.secret.reads)) == (1, 2)


def test_a_token_that_is_old_is_not_even_read(world: World) -> None:
    world.tokens.get_token()
    world.clock.advance(HOUR)

    assert world.function().get_token() == "token-2"
    assert world.secret.reads == []


REFUSALS = [
    AwsRefusedError("secretsmanager", "PutSecretValue", "LimitExceededException"),
    AwsRefusedError("secretsmanager", "PutSecretValue", "AccessDeniedException"),
    AwsUnavailableError("secretsmanager", "PutSecretValue", "500"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_a_token_that_the_secret_does_not_take_serves_its_holder_and_rings(
    world: World, refusal: AwsError
) -> None:
    world.secret.refusal = refusal

    tokens = [world.tokens.get_token() for _ in range(5)]

    assert tokens == ["token-1"] * 5
    assert world.accounts.refreshes == 1
    assert world.reported == [refusal]
    assert world.stored().refresh_until == 0  # nobody waits for it


def test_who_holds_a_token_that_was_not_stored_follows_the_ledger_once_it_names_one(
    world: World,
) -> None:
    world.secret.refusal = REFUSALS[0]
    world.tokens.get_token()
    world.secret.refusal = None

    theirs = world.function().get_token()

    assert theirs == world.tokens.get_token() == "token-2"


def test_a_token_that_was_not_stored_ends_like_any_other(world: World) -> None:
    world.secret.refusal = REFUSALS[0]
    world.tokens.get_token()

    world.clock.advance(HOUR - EARLY_SECONDS - 1)
    just_before = world.tokens.get_token()
    world.clock.advance(1)

    assert (just_before, world.tokens.get_token()) == ("token-1", "token-2")


def test_a_refused_token_that_was_not_stored_is_replaced_too(world: World) -> None:
    world.secret.refusal = REFUSALS[0]
    refused = world.tokens.get_token()

    assert world.tokens.renew_token(refused) == "token-2"


def test_a_token_that_cannot_be_read_is_the_operators_to_mend(world: World) -> None:
    world.tokens.get_token()
    denied = AwsRefusedError("secretsmanager", "GetSecretValue", "AccessDeniedException")

    def deny(version_id: str) -> str | None:
        raise denied

    world.secret.read = deny  # type: ignore[method-assign]
    with pytest.raises(AwsRefusedError):
        world.function().get_token()

    assert world.accounts.refreshes == 1  # ten functions that refresh each lock all of them out
