"""The suite itself: what its selection of combinations keeps."""

from collections import defaultdict

import pytest

from conftest import LOOPS, LUAS_HERE, claim_of, varies_by

ALL = {"lua": {*LUAS_HERE}, "isolation": {"entity", "script"}, "play": {*LOOPS}}


def test_every_test_runs_on_each_lua_under_each_isolation_and_in_each_main_loop(request):
    met = defaultdict(set)
    for item in request.session.items:
        for name in varies_by(item) if isinstance(item, pytest.Function) else ():
            met[claim_of(item), name].add(item.callspec.params[name])

    assert {claim: values for claim, values in met.items() if not values >= ALL[claim[1]]} == {}
