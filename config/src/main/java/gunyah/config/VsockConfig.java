package gunyah.config;

import java.nio.file.Path;

/**
 * A guest's sockets to this computer.
 *
 * @param cid    the guest's address, 3 to 4294967294
 * @param socket Unix domain socket where programs of this computer call the guest; the guest calls them at this path
 *     with {@code _PORT} behind
 */
public record VsockConfig(long cid, Path socket) {
    private static final long FIRST = 3;
    private static final long LAST = 0xffff_fffeL;

    public VsockConfig {
        if (cid < FIRST || cid > LAST) {
            throw new BadInput("a guest's CID must be a number from %d to %d".formatted(FIRST, LAST));
        }
    }

    /** Reads {@code CID[,socket=PATH]}; a comma in PATH is written twice. @throws BadInput */
    public static VsockConfig parse(String text, Path defaultSocket) {
        OptionText parts = OptionText.of(text);
        Path socket = defaultSocket;
        for (String part : parts.rest()) {
            if (!part.startsWith("socket=") || part.length() == "socket=".length()) {
                throw new BadInput("a vsock is CID[,socket=PATH], not '%s'".formatted(text));
            }
            socket = Path.of(part.substring("socket=".length()));
        }
        if (!parts.first().matches("[0-9]{1,10}")) {
            throw new BadInput("a vsock is CID[,socket=PATH], not '%s'".formatted(text));
        }
        return new VsockConfig(Long.parseLong(parts.first()), socket);
    }

    /** {@return that of VM {@code index} (from 0) of {@code count}: each has the next CID and a socket of its own} */
    public VsockConfig forVm(int index, int count) {
        return new VsockConfig(cid + index, new ConsoleTarget.ToFile(socket).forVm(index, count));
    }
}
