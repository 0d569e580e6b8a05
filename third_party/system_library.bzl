"""Libraries from Debian packages, linked as pkg-config says."""

# Without --cflags, because the headers are found in /usr/include anyway.
_PKG_CONFIG = ["pkg-config", "--static", "--libs"]

def _system_library(repository_ctx):
    command = _PKG_CONFIG + repository_ctx.attr.modules
    result = repository_ctx.execute(
        command,
        # Only Debian's libraries, to which the headers in /usr/include belong.
        environment = {"PKG_CONFIG_PATH": ""},
    )
    if result.return_code != 0:
        fail("%s: %s\n./dev setup installs what is missing." %
             (" ".join(command), result.stderr))

    # Debian's lists name some archives up to fifty times, to get an order that is not
    # needed within a group.
    flags = []
    seen = {}
    for flag in result.stdout.strip().split(" "):
        if flag.startswith("-l"):
            if flag in seen:
                continue
            seen[flag] = True
        flags.append(flag)

    # The state is restored, because setting -Bdynamic would undo -static-pie.
    linkopts = ["-Wl,--push-state,-Bstatic", "-Wl,--start-group"] + flags
    linkopts += ["-Wl,--end-group", "-Wl,--pop-state"]
    repository_ctx.file(
        "linkopts.bzl",
        "LINKOPTS = [\n%s]\n" % "".join(["    \"%s\",\n" % flag for flag in linkopts]),
    )
    repository_ctx.symlink(repository_ctx.attr.build_file, "BUILD.bazel")

# A repository whose build file can load LINKOPTS from //:linkopts.bzl: the options that
# link the given modules of pkg-config, and everything they need, statically.
system_library = repository_rule(
    implementation = _system_library,
    attrs = {
        "build_file": attr.label(
            mandatory = True,
            allow_single_file = True,
        ),
        "modules": attr.string_list(
            mandatory = True,
            doc = "Names of .pc files.",
        ),
    },
    # Evaluated again whenever Bazel's server starts, so that upgraded packages are
    # noticed.
    local = True,
)
