package gunyah.rm.link;

import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Ledger;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.Root;
import gunyah.rm.root.VirqPool;

/**
 * The two queues of a link and their four interrupt lines. Client words: TX carries its requests, RX what the Resource
 * Manager sends.
 *
 * @param depth         messages per queue
 * @param messageSize   bytes
 * @param requests      root VM's cap of the client's TX queue
 * @param answers       root VM's cap of the client's RX queue
 * @param rootRxVirq    root VM's line: a request came
 * @param rootTxVirq    root VM's line: the answer queue has room again
 * @param clientTxCap   client's cap to send
 * @param clientRxCap   client's cap to receive
 * @param clientTxVirq  client's line: its TX queue has room again
 * @param clientRxVirq  client's line: something came
 */
public record QueuePair(int depth, int messageSize, long requests, long answers, int rootRxVirq, int rootTxVirq,
        long clientTxCap, long clientRxCap, int clientTxVirq, int clientRxVirq) {

    /** The client's side: where its caps and lines go. */
    public record Client(long cspace, long vic, VirqPool virqs) {
    }

    /**
     * Makes both queues and binds all lines.
     *
     * @param fixedTxVirq client INTID, or 0 for any
     * @param fixedRxVirq client INTID, or 0 for any
     */
    public static QueuePair create(Root root, Ledger ledger, Client client, int depth, int messageSize,
            int fixedTxVirq, int fixedRxVirq) {
        Hypercalls hypercalls = root.hypercalls();
        long requests = queue(hypercalls, ledger, depth, messageSize);
        long answers = queue(hypercalls, ledger, depth, messageSize);
        int rootRx = ledger.take(Stage.VDEVICES, root.virqs());
        int rootTx = ledger.take(Stage.VDEVICES, root.virqs());
        int clientTx = ledger.take(Stage.VDEVICES, client.virqs, fixedTxVirq);
        int clientRx = ledger.take(Stage.VDEVICES, client.virqs, fixedRxVirq);
        bind(hypercalls, ledger, requests, client.vic, clientTx, root.env().vicCap(), rootRx);
        bind(hypercalls, ledger, answers, root.env().vicCap(), rootTx, client.vic, clientRx);
        long txCap = ledger.copy(Stage.VDEVICES, requests, client.cspace, Rights.MSGQUEUE_SEND);
        long rxCap = ledger.copy(Stage.VDEVICES, answers, client.cspace, Rights.MSGQUEUE_RECEIVE);
        return new QueuePair(depth, messageSize, requests, answers, rootRx, rootTx, txCap, rxCap, clientTx, clientRx);
    }

    private static long queue(Hypercalls hypercalls, Ledger ledger, int depth, int messageSize) {
        long queue = ledger.create(Stage.VDEVICES, ObjectType.MSGQUEUE);
        hypercalls.configureQueue(queue, depth, messageSize);
        hypercalls.activate(queue);
        return queue;
    }

    private static void bind(Hypercalls hypercalls, Ledger ledger, long queue, long senderVic, int senderVirq,
            long receiverVic, int receiverVirq) {
        hypercalls.bindQueueSend(queue, senderVic, senderVirq);
        ledger.add(Stage.VDEVICES, () -> hypercalls.unbindQueueSend(queue));
        hypercalls.bindQueueReceive(queue, receiverVic, receiverVirq);
        ledger.add(Stage.VDEVICES, () -> hypercalls.unbindQueueReceive(queue));
    }
}
