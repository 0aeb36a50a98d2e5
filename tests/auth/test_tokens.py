"""API tokens: whose is which, and what is refused as none."""

import pytest

from render_service.auth.scopes import Scope
from render_service.auth.tokens import Tokens, new_token, parse_tokens, spell_token
from render_service.errors import InvalidSetting

ONE, OTHER = "A" * 43, "B" * 43


def test_a_token_is_whose_name_it_stands_under():
    tokens = Tokens(parse_tokens(f"erp:{ONE},designer:{OTHER}"))
    assert tokens.find(ONE).name == "erp"
    assert tokens.find(OTHER).name == "designer"


@pytest.mark.parametrize("presented", ["", "C" * 43, f"erp:{ONE}", ONE + " ", "\udcff", "é"])
def test_what_nobody_has_is_nobodys(presented):
    assert Tokens(parse_tokens(f"erp:{ONE}")).find(presented) is None


def test_a_token_without_scopes_may_do_all():
    (token,) = parse_tokens(f"erp:{ONE}")
    assert token.caller.scopes == frozenset(Scope)


def test_a_token_with_scopes_may_do_these_alone():
    (token,) = parse_tokens(f"erp:{ONE}:catalogue:write+jobs:read")
    assert token.caller.scopes == {Scope.CATALOGUE_WRITE, Scope.JOBS_READ}
    assert token.caller.may(Scope.JOBS_READ)
    assert not token.caller.may(Scope.ADMIN)


def test_a_new_token_is_one_that_is_taken_and_no_two_are_alike():
    made = new_token()
    assert Tokens(parse_tokens(spell_token("erp", made))).find(made).name == "erp"
    assert made != new_token()


def test_none_lets_nobody_in():
    assert parse_tokens("") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE, "does not begin token 1 with a name"),
        (f"erp:{ONE},:{OTHER}", "does not begin token 2 with a name"),
        (f"Erp:{ONE}", "does not begin token 1 with a name"),
        ("erp:short", "a token 1 that is not 43 to 128 characters"),
        (f"erp:{ONE}:", "gives token 1 a scope that is none; scopes: catalogue:write"),
        (f"erp:{ONE}:everything", "gives token 1 a scope that is none"),
        (f"erp:{ONE},erp:{OTHER}", "gives two tokens one name"),
        (f"erp:{ONE},designer:{ONE}", "holds one token twice"),
    ],
)
def test_what_is_no_token_is_refused_and_not_shown(text, said):
    with pytest.raises(InvalidSetting) as refused:
        parse_tokens(text)
    assert said in str(refused.value)
    assert ONE not in str(refused.value)
