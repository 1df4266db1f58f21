package gunyah.vmm.driver;

/**
 * Numbers of the driver's user-space interface (include/uapi/linux/gunyah.h, v17): what an ioctl caller passes and what
 * the typed API therefore accepts.
 */
public final class Uapi {
    /** Function types of ADD_FUNCTION. */
    public static final int FN_VCPU = 1;
    public static final int FN_IRQFD = 2;
    public static final int FN_IOEVENTFD = 3;

    /** Flags of MAP_MEM. */
    public static final int MEM_DEFAULT_ACCESS = 0;
    public static final int MEM_FORCE_LEND = 1;
    public static final int MEM_FORCE_SHARE = 2;
    public static final int MEM_ACCESS_MASK = 7;
    public static final int MEM_ALLOW_READ = 0x10;
    public static final int MEM_ALLOW_WRITE = 0x20;
    public static final int MEM_ALLOW_EXEC = 0x40;
    public static final int MEM_ALLOW_RWX = MEM_ALLOW_READ | MEM_ALLOW_WRITE | MEM_ALLOW_EXEC;

    /** Flags of CREATE_GUEST_MEM. */
    public static final long GUEST_MEM_CLOEXEC = 1;
    public static final long GUEST_MEM_ALLOW_HUGEPAGE = 2;

    /** Modes of fallocate on a guest memory file; without KEEP_SIZE nothing is possible. */
    public static final int FALLOC_KEEP_SIZE = 1;
    public static final int FALLOC_PUNCH_HOLE = 2;
    public static final int FALLOC_ZERO_RANGE = 0x10;

    /** Register sets of SET_BOOT_CONTEXT; a register word is {@code set << 8 | index}. */
    public static final int REG_SET_X = 0;
    public static final int REG_SET_PC = 1;
    public static final int REG_SET_SP = 2;
    public static final int REG_PC = REG_SET_PC << 8;

    /** Exit reasons in the run page. */
    public static final int EXIT_UNKNOWN = 0;
    public static final int EXIT_MMIO = 1;
    public static final int EXIT_STATUS = 2;
    public static final int EXIT_PAGE_FAULT = 3;

    /** What the client answers to an exit; the hypervisor numbers them differently. */
    public static final int RESUME_HANDLED = 0;
    public static final int RESUME_FAULT = 1;
    public static final int RESUME_RETRY = 2;

    /** Status of a STATUS exit. */
    public static final int VM_STATUS_LOAD_FAILED = 1;
    public static final int VM_STATUS_EXITED = 2;
    public static final int VM_STATUS_CRASHED = 3;

    /** Exit types as the Resource Manager reports them; the driver passes them on. */
    public static final int EXIT_TYPE_VM_EXIT = 0;
    public static final int EXIT_TYPE_PSCI_OFF = 1;
    public static final int EXIT_TYPE_PSCI_RESET = 2;
    public static final int EXIT_TYPE_PSCI_RESET2 = 3;
    public static final int EXIT_TYPE_WATCHDOG = 4;
    public static final int EXIT_TYPE_HYP_ERROR = 5;
    public static final int EXIT_TYPE_ASYNC_ABORT = 6;
    public static final int EXIT_TYPE_VM_FORCE_STOPPED = 7;

    /** Bytes of the page a vCPU shares with its client; MMAP_SIZE answers it. */
    public static final int RUN_PAGE_SIZE = 4096;

    private Uapi() {
    }
}
