"""Files that are derained by a function of source and target: done, or refused without a trace."""


def done(derain, source, target, *arguments, **options):
    """Derain a file; return its record, which tells of no error."""
    record = derain(source, target, *arguments, **options)
    assert (record.status, record.error) == ("ok", None)
    return record


def refused(derain, source, target, *arguments, **options):
    """Derain what cannot be; return the message, and check that nothing but earlier files is there."""
    before = sorted(target.parent.rglob("*")) if target.parent.is_dir() else []
    record = derain(source, target, *arguments, **options)
    assert (record.input, record.output, record.status) == (str(source), str(target), "failed")
    assert sorted(target.parent.rglob("*") if target.parent.is_dir() else []) == before
    return record.error
