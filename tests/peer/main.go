// Peer triggers replication the way a Go program on MinIO's own client libraries does: madmin-go lists
// the backlog, N workers stat each version with minio-go. It is what the benchmarks measure the
// component against, and has no other purpose.
//
//	PEER_ACCESS_KEY=… PEER_SECRET_KEY=… peer -endpoint http://127.0.0.1:9000 -bucket src -c 100
//
// The totals go to stdout, one line of JSON with the cost of the run to stderr.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/minio/madmin-go/v3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/time/rate"
)

type config struct {
	concurrent int
	rate       float64
	endpoint   string
	bucket     string
	prefix     string
	json       bool
}

// summary is what a user of the command gets to see.
type summary struct {
	Total     int64 `json:"total"`
	Processed int64 `json:"processed"`
	Failed    int64 `json:"failed"`
}

// stats is what the benchmark gets to see. Its field names are shared with the other contestants.
type stats struct {
	WallSeconds   float64 `json:"wall_seconds"`
	UserSeconds   float64 `json:"user_seconds"`
	SystemSeconds float64 `json:"system_seconds"`
	PeakRSSKiB    int64   `json:"peak_rss_kib"`
	Objects       int64   `json:"objects"`
}

func main() {
	var cfg config
	flag.IntVar(&cfg.concurrent, "c", 10, "requests at the same time")
	flag.Float64Var(&cfg.rate, "rate", 0, "versions a second, 0 for no limit")
	flag.StringVar(&cfg.endpoint, "endpoint", "", "URL of the server")
	flag.StringVar(&cfg.bucket, "bucket", "", "bucket with the backlog")
	flag.StringVar(&cfg.prefix, "prefix", "", "only names that start with this")
	flag.BoolVar(&cfg.json, "json", false, "print the totals as JSON")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	started := time.Now()
	sum, err := run(ctx, cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
	}
	report(cfg, sum)
	if statsErr := json.NewEncoder(os.Stderr).Encode(cost(started, sum)); statsErr != nil {
		os.Exit(1)
	}
	if err != nil || sum.Failed > 0 {
		os.Exit(1)
	}
}

// run lists the backlog and triggers every version in it. An error means that the listing failed; versions
// that fail are counted.
func run(ctx context.Context, cfg config) (summary, error) {
	admin, client, err := clients(cfg)
	if err != nil {
		return summary{}, err
	}

	limiter := rate.NewLimiter(rate.Inf, 1)
	if cfg.rate > 0 {
		limiter = rate.NewLimiter(rate.Limit(cfg.rate), 1)
	}

	var processed, failed atomic.Int64
	versions := make(chan madmin.DiffInfo, cfg.concurrent)
	var workers sync.WaitGroup
	for range cfg.concurrent {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for version := range versions {
				if err := trigger(ctx, client, cfg.bucket, version); err != nil {
					failed.Add(1)
					fmt.Fprintf(os.Stderr, "peer: %s (%s): %v\n", version.Object, version.VersionID, err)
					continue
				}
				processed.Add(1)
			}
		}()
	}

	var total int64
	var listErr error
	for version := range admin.BucketReplicationDiff(ctx, cfg.bucket, madmin.ReplDiffOpts{Prefix: cfg.prefix}) {
		if version.Err != nil {
			listErr = version.Err
			break
		}
		if listErr = limiter.Wait(ctx); listErr != nil {
			break
		}
		total++
		versions <- version
	}
	close(versions)
	workers.Wait()
	return summary{Total: total, Processed: processed.Load(), Failed: failed.Load()}, listErr
}

// trigger asks for one version, which makes the server queue it again. Delete markers cannot be read, so
// the server refuses, but has queued them by then.
func trigger(ctx context.Context, client *minio.Client, bucket string, version madmin.DiffInfo) error {
	info, err := client.StatObject(ctx, bucket, version.Object, minio.StatObjectOptions{VersionID: version.VersionID})
	var response minio.ErrorResponse
	if errors.As(err, &response) && response.StatusCode == http.StatusMethodNotAllowed && info.IsDeleteMarker {
		return nil
	}
	return err
}

// clients returns an admin and an S3 client that share one pool with a connection for each worker and one
// for the listing.
func clients(cfg config) (*madmin.AdminClient, *minio.Client, error) {
	if cfg.bucket == "" {
		return nil, nil, errors.New("-bucket is required")
	}
	if cfg.concurrent < 1 {
		return nil, nil, errors.New("-c must be at least 1")
	}
	endpoint, err := url.Parse(cfg.endpoint)
	if err != nil {
		return nil, nil, err
	}
	if endpoint.Host == "" {
		return nil, nil, errors.New("-endpoint must be a URL such as http://127.0.0.1:9000")
	}
	creds := credentials.NewStaticV4(os.Getenv("PEER_ACCESS_KEY"), os.Getenv("PEER_SECRET_KEY"), "")
	secure := endpoint.Scheme == "https"
	// Timeouts and buffer sizes as in mc.
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns:          cfg.concurrent + 1,
		MaxIdleConnsPerHost:   cfg.concurrent + 1,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: 10 * time.Second,
		WriteBufferSize:       32 << 10,
		ReadBufferSize:        32 << 10,
	}

	admin, err := madmin.NewWithOptions(endpoint.Host, &madmin.Options{Creds: creds, Secure: secure, Transport: transport})
	if err != nil {
		return nil, nil, err
	}
	client, err := minio.New(endpoint.Host, &minio.Options{Creds: creds, Secure: secure, Transport: transport})
	if err != nil {
		return nil, nil, err
	}
	return admin, client, nil
}

func report(cfg config, sum summary) {
	if cfg.json {
		// The totals are numbers and stdout is all there is to write to: nothing to do about an error.
		_ = json.NewEncoder(os.Stdout).Encode(sum)
		return
	}
	fmt.Printf("Total: %d\nProcessed: %d\nFailed: %d\n", sum.Total, sum.Processed, sum.Failed)
}

func cost(started time.Time, sum summary) stats {
	wall := time.Since(started)
	var usage syscall.Rusage
	// The only documented errors are a bad pointer and a bad selector.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return stats{
		WallSeconds:   wall.Seconds(),
		UserSeconds:   time.Duration(usage.Utime.Nano()).Seconds(),
		SystemSeconds: time.Duration(usage.Stime.Nano()).Seconds(),
		PeakRSSKiB:    int64(usage.Maxrss), // KiB on Linux
		Objects:       sum.Total,
	}
}
