"""What a store says when it cannot serve, whichever it is: each is told in words with the next step."""

from flows.errors import Problem


class StoreProblem(Problem):
    """The store cannot serve: newer than this program, unreadable, not ours, or out of reach."""

    title = {"zh": "数据存储无法使用", "en": "Store unusable"}


class StoreFull(StoreProblem):
    """No room on the disk. What was to be written is not; it works again when there is room."""

    title = {"zh": "磁盘空间不足", "en": "No room on the disk"}


class StoreAway(StoreProblem):
    """For the moment nothing can be read or written: read-only, the disk or server does not answer, another process writes."""

    title = {"zh": "数据存储暂时无法使用", "en": "Store out of reach"}
