"""What the environment says of AWS, and what is said of a setting that cannot be used."""

from __future__ import annotations

import pytest

from chalicelib import wiring


@pytest.mark.parametrize(
    ("name", "value", "part", "message"),
    [
        ("FILES", "s3:", "files", "SUPPORT_FILES must be such as 's3:BUCKET/prefix', not 's3:'"),
        ("FILES", "s3:/", "files", "SUPPORT_FILES must be such as 's3:BUCKET/prefix', not 's3:/'"),
        ("FILES", "ftp:x", "files", "SUPPORT_FILES must be such as 'dir:var/…', not 'ftp:x'"),
        ("STORE", "dynamodb:", "store", "SUPPORT_STORE must be such as 'dynamodb:TABLE', not 'dynamodb:'"),
        (
            "CATALOG",
            "s3://bucket",
            "catalog_file",
            "SUPPORT_CATALOG must be a path, or such as 's3://bucket/data/catalog.json', not 's3://bucket'",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_it_must_be(
    name: str, value: str, part: str, message: str
) -> None:
    with pytest.raises(wiring.SettingTrouble) as trouble:
        getattr(wiring.desk({f"SUPPORT_{name}": value}), part)
    assert str(trouble.value) == message


def test_each_keeper_is_chosen_by_the_environment_alone() -> None:
    """The same code runs on one machine and on AWS; nothing is asked of AWS before it is needed."""
    here = wiring.desk({"SUPPORT_SECRET": "a secret for the tests alone"})
    there = wiring.desk(
        {
            "SUPPORT_STORE": "dynamodb:desk",
            "SUPPORT_FILES": "s3:desk",
            "SUPPORT_MAIL": "ses:",
            "SUPPORT_CATALOG": "s3://site/data/catalog.json",
        }
    )
    kinds = [
        [type(getattr(desk, part)).__name__ for part in ("store", "files", "mailer")]
        for desk in (here, there)
    ]
    assert kinds == [["SqliteStore", "LocalFiles", "EmlMailer"], ["DynamoStore", "S3Files", "SesMailer"]]
    assert type(there.site()).__name__ == "S3Site"
