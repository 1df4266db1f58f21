package gunyah.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Carries standard input to the guests. On a terminal Ctrl-A begins a command: x leaves, Ctrl-A or a sends one Ctrl-A.
 * The thread is a daemon because a read of standard input cannot be interrupted.
 */
final class Keyboard {
    private static final int CTRL_A = 1;

    private final InputStream in;
    private final boolean escapes;
    private final Consumer<byte[]> guests;
    private final Runnable leave;
    private boolean commandBegun;

    /**
     * @param escapes whether Ctrl-A is a command
     * @param guests  takes what was typed
     * @param leave   called when the user wants to leave
     */
    Keyboard(InputStream in, boolean escapes, Consumer<byte[]> guests, Runnable leave) {
        this.in = in;
        this.escapes = escapes;
        this.guests = guests;
        this.leave = leave;
    }

    void start() {
        Thread.ofPlatform().name("gunyah-keyboard").daemon().start(this::copy);
    }

    private void copy() {
        byte[] buffer = new byte[4096];
        try {
            for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                byte[] keys = escapes ? withoutCommands(buffer, count) : Arrays.copyOf(buffer, count);
                if (keys.length > 0) {
                    guests.accept(keys);
                }
            }
        } catch (IOException e) {
            // the input went away; the guests go on without
        }
    }

    private byte[] withoutCommands(byte[] buffer, int count) {
        byte[] keys = new byte[count];
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (commandBegun) {
                commandBegun = false;
                if (buffer[i] == 'x') {
                    leave.run();
                } else if (buffer[i] == 'a' || buffer[i] == CTRL_A) {
                    keys[kept++] = CTRL_A;
                }
            } else if (buffer[i] == CTRL_A) {
                commandBegun = true;
            } else {
                keys[kept++] = buffer[i];
            }
        }
        return Arrays.copyOf(keys, kept);
    }
}
