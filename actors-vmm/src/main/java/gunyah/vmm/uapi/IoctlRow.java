package gunyah.vmm.uapi;

/**
 * The driver's ioctls (include/uapi/linux/gunyah.h, v17, and Android's): which kind of file takes which number, and the
 * size of the structure its argument points to. The number is {@code direction << 30 | size << 16 | type << 8 | nr}.
 */
enum IoctlRow {
    CREATE_VM(Kind.DEVICE, 0, 0x0, 0),
    CREATE_GUEST_MEM(Kind.DEVICE, 1, 0x8, 64, Dialect.V17),
    SET_USER_MEM_REGION(Kind.VM, 1, 0x1, 32, Dialect.ANDROID),
    LEND_USER_MEM(Kind.VM, 1, 'A', 0x11, 32, Dialect.ANDROID),
    SET_DTB_CONFIG(Kind.VM, 1, 0x2, 16),
    START(Kind.VM, 0, 0x3, 0),
    ADD_FUNCTION(Kind.VM, 1, 0x4, 16),
    REMOVE_FUNCTION(Kind.VM, 1, 0x7, 16),
    MAP_MEM(Kind.VM, 1, 0x9, 32, Dialect.V17),
    SET_BOOT_CONTEXT(Kind.VM, 1, 0xA, 16, Dialect.V17),
    RUN(Kind.VCPU, 0, 0x5, 0),
    MMAP_SIZE(Kind.VCPU, 0, 0x6, 0);

    /** What a descriptor is. */
    enum Kind {
        DEVICE, VM, VCPU, MEMORY, EVENT
    }

    private static final IoctlRow[] ALL = values();

    final Kind kind;
    final int number;
    /** Bytes behind the argument; 0 when the argument is a value. */
    final int size;
    /** The only dialect that has it; null when all have. */
    private final Dialect dialect;

    IoctlRow(Kind kind, int direction, int nr, int size) {
        this(kind, direction, nr, size, null);
    }

    IoctlRow(Kind kind, int direction, int nr, int size, Dialect dialect) {
        this(kind, direction, 'G', nr, size, dialect);
    }

    IoctlRow(Kind kind, int direction, int type, int nr, int size, Dialect dialect) {
        this.kind = kind;
        this.size = size;
        this.dialect = dialect;
        number = direction << 30 | size << 16 | type << 8 | nr;
    }

    /** {@return the row of that number for that kind of file, null when the file does not know it} */
    static IoctlRow of(Dialect spoken, Kind kind, int number) {
        for (IoctlRow row : ALL) {
            if (row.kind == kind && row.number == number && (row.dialect == null || row.dialect == spoken)) {
                return row;
            }
        }
        return null;
    }
}
