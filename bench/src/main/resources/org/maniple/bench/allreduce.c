/* All-reduces floats and prints, per size: bytes, median, 99th percentile and minimum in microseconds. Arguments: pairs of bytes and repetitions. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
    int rank, ranks;
    MPI_Init(&count, &arguments);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    for (int i = 1; i + 1 < count; i += 2) {
        int floats = atoi(arguments[i]) / 4, times = atoi(arguments[i + 1]);
        float *data = malloc(4L * floats);
        double *took = malloc(sizeof(double) * times);
        for (int k = 0; k < floats; k++) data[k] = rank + 1;
        MPI_Allreduce(MPI_IN_PLACE, data, floats, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        for (int k = 0; k < floats; k++) {
            if (data[k] != ranks * (ranks + 1) / 2) { fprintf(stderr, "a wrong sum\n"); MPI_Abort(MPI_COMM_WORLD, 1); }
            data[k] = 0;
        }
        for (int t = -times / 2; t < times; t++) {
            double start = MPI_Wtime();
            MPI_Allreduce(MPI_IN_PLACE, data, floats, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
            if (t >= 0) took[t] = 1e6 * (MPI_Wtime() - start);
        }
        if (rank == 0) {
            qsort(took, times, sizeof(double), ascending);
            printf("%s %.2f %.2f %.2f\n", arguments[i], took[times / 2], took[times * 99 / 100], took[0]);
            fflush(stdout);
        }
        free(data);
        free(took);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
