package gunyah.vmm.block;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What Linux does for a disk's file and Java has no word for: {@code fallocate(2)} gives parts of it back to the file
 * system and makes parts read as zeros without writing them, and an open file description lock ({@code fcntl(2)}) keeps
 * it from other writers. It has a descriptor of its own, and the file's channel is opened through that ({@link #path}),
 * so that both are the same file whatever happens to its name meanwhile. Not thread safe; may block.
 */
final class FileHoles implements AutoCloseable {
    /** For files that are not written, and in places that have no holes. */
    static final FileHoles NONE = new FileHoles(-1);

    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x8_0000;
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;
    private static final int ZERO_RANGE = 0x10;
    private static final int SET_LOCK = 37;
    private static final short WRITE_LOCK = 1;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int EACCES = 13;
    private static final int EOPNOTSUPP = 95;

    /** Apart, so that where there is no Linux nothing of it is looked for. */
    private static final class Calls {
        static final StructLayout STATE = Linker.Option.captureStateLayout();
        static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
        static final MethodHandle OPEN = function("open", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        static final MethodHandle CLOSE = function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT));
        static final MethodHandle FALLOCATE = function("fallocate", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        /** {@code struct flock}: type, whence, start, length, process. */
        static final StructLayout LOCK = MemoryLayout.structLayout(ValueLayout.JAVA_SHORT, ValueLayout.JAVA_SHORT,
                MemoryLayout.paddingLayout(4), ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT,
                MemoryLayout.paddingLayout(4));
        static final MethodHandle FCNTL = function("fcntl", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS), Linker.Option.firstVariadicArg(2));

        private static MethodHandle function(String name, FunctionDescriptor shape, Linker.Option... more) {
            Linker linker = Linker.nativeLinker();
            Linker.Option[] options = Arrays.copyOf(more, more.length + 1);
            options[more.length] = Linker.Option.captureCallState("errno");
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), shape, options);
        }
    }

    private final MemorySegment state;
    private int descriptor;
    private boolean frees;
    private boolean zeroes;

    private FileHoles(int descriptor) {
        this.descriptor = descriptor;
        this.frees = descriptor >= 0;
        this.zeroes = descriptor >= 0;
        this.state = descriptor >= 0 ? Arena.ofAuto().allocate(Calls.STATE) : MemorySegment.NULL;
    }

    /** Opens a file to write. {@return {@link #NONE} where there is no Linux, or it does not let us} */
    static FileHoles open(Path file) {
        if (!System.getProperty("os.name").equals("Linux")) {
            return NONE;
        }
        try (Arena arena = Arena.ofConfined()) {
            int opened = (int) Calls.OPEN.invokeExact(arena.allocate(Calls.STATE),
                    arena.allocateFrom(file.toString()), O_RDWR | O_CLOEXEC);
            FileHoles holes = opened < 0 ? NONE : new FileHoles(opened);
            if (Files.exists(holes.path(file))) {
                return holes;
            }
            holes.close();
            return NONE;
        } catch (Throwable e) {
            throw new IllegalStateException("open(2) threw", e);
        }
    }

    /** {@return a name for the file that it has open, {@code file} when none} */
    Path path(Path file) {
        return descriptor < 0 ? file : Path.of("/proc/self/fd/" + descriptor);
    }

    /**
     * Locks the whole file, if it is open here. The lock of a channel belongs to the process; this one ends when it is
     * closed, not when anything else is that has the file open, and keeps off this process's other disks, too.
     *
     * @return false when another has locked it
     */
    boolean lock() throws IOException {
        if (descriptor < 0) {
            return true;
        }
        int errno = EINTR;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment whole = arena.allocate(Calls.LOCK);
            whole.set(ValueLayout.JAVA_SHORT, 0, WRITE_LOCK);
            while (errno == EINTR) {
                boolean done = (int) Calls.FCNTL.invokeExact(state, descriptor, SET_LOCK, whole) == 0;
                errno = done ? 0 : (int) Calls.ERRNO.get(state, 0L);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("fcntl(2) threw", e);
        }
        if (errno != 0 && errno != EAGAIN && errno != EACCES) {
            throw new IOException("it cannot be locked, error %d".formatted(errno));
        }
        return errno == 0;
    }

    /** Frees what the range uses; it reads as zeros. {@return false when it may read as before} */
    boolean free(long position, long length) {
        int errno = frees ? allocate(PUNCH_HOLE | KEEP_SIZE, position, length) : EOPNOTSUPP;
        frees = errno != EOPNOTSUPP;
        return errno == 0;
    }

    /** The range reads as zeros and keeps its place. {@return false when it may read as before} */
    boolean zero(long position, long length) {
        int errno = zeroes ? allocate(ZERO_RANGE | KEEP_SIZE, position, length) : EOPNOTSUPP;
        zeroes = errno != EOPNOTSUPP;
        return errno == 0;
    }

    /** {@return 0, or the number of Linux's error} */
    private int allocate(int mode, long position, long length) {
        int errno = EINTR;
        while (errno == EINTR) {
            try {
                boolean done = (int) Calls.FALLOCATE.invokeExact(state, descriptor, mode, position, length) == 0;
                errno = done ? 0 : (int) Calls.ERRNO.get(state, 0L);
            } catch (Throwable e) {
                throw new IllegalStateException("fallocate(2) threw", e);
            }
        }
        return errno;
    }

    @Override
    public void close() {
        if (descriptor >= 0) {
            try {
                int ignored = (int) Calls.CLOSE.invokeExact(state, descriptor);
            } catch (Throwable e) {
                throw new IllegalStateException("close(2) threw", e);
            }
            descriptor = -1;
            frees = false;
            zeroes = false;
        }
    }
}
