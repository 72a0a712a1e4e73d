"""What a host must allow for bubblewrap, told by what bubblewrap says where it cannot start."""

SECCOMP = "a filter of system calls forbids it: in a container, run that with --security-opt seccomp=unconfined"
MASKED = (
    "the kernel gives no new /proc where parts of the old one are masked: run the container with --security-opt "
    "systempaths=unconfined (podman: unmask=ALL)"
)
PROFILE = (
    "AppArmor keeps user namespaces without rights: run a container with --security-opt apparmor=unconfined, or set "
    "kernel.apparmor_restrict_unprivileged_userns=0 on the host"
)
TOO_FEW = "the host allows no more user namespaces: raise user.max_user_namespaces with sysctl"
ROOT = "root without CAP_SYS_ADMIN: run as another user, who makes a user namespace, or, if one does, " + SECCOMP
REMEDIES = (
    ("mount proc on", MASKED),
    ("max_*_namespaces exceeded", TOO_FEW),
    ("set hostname", SECCOMP),
    ("No permissions to creat", SECCOMP),
    ("Creating new namespace failed: Operation not permitted", ROOT),
    ("setting up uid map", PROFILE),
    ("Failed RTM_NEWADDR", PROFILE),
)


def remedy(said: str) -> str:
    """What to allow where bubblewrap says this, with '; ' before it; '' where nobody knows."""
    return next((f"; {what}" for words, what in REMEDIES if words in said), "")


def lacks(capability: str, place: object) -> str:
    """What is said where root may not do with a workspace what root does."""
    return (
        f"the sandbox could not give {place} to a user of its own: root without {capability}; run as another user, or "
        f"allow it (docker --cap-add {capability.removeprefix('CAP_')})"
    )
