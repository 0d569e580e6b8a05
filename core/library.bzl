"""How a library of the engine is declared: one for each header."""

# Who may look into every room.
INSIDE = [
    "//bench:__pkg__",
    "//tests:__subpackages__",
]

# The API, the agent and the command line, which see little of the engine.
USERS = INSIDE + [
    "//agent:__pkg__",
    "//proto:__pkg__",
    "//cli:__pkg__",
]

def library(name, parts = [], deps = [], **kwargs):
    """Declares the library of NAME.h and, where there is one, NAME.cc.

    Args:
      name: of both files, without what is behind the dot.
      parts: of what is too long for one file: NAME_PART.cc for each.
      deps: the libraries whose headers they include.
      **kwargs: more for cc_library.
    """
    native.cc_library(
        name = name,
        srcs = native.glob([name + ".cc"]) + [name + "_" + part + ".cc" for part in parts],
        hdrs = [name + ".h"],
        deps = deps,
        **kwargs
    )

def room():
    """Ends the BUILD file of a room.

    All of its libraries have one name, "libraries", and so have its files, "sources".
    """
    native.filegroup(
        name = "libraries",
        srcs = [
            ":" + name
            for name, rule in native.existing_rules().items()
            if rule["kind"] == "cc_library"
        ],
        visibility = ["//tests:__pkg__"],
    )
    native.filegroup(
        name = "sources",
        srcs = native.glob(["*.h", "*.cc"]),
        visibility = ["//tests:__subpackages__"],
    )
