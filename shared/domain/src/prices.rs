//! What AWS charges for what a vault uses: the one price table.
//!
//! List prices of us-east-1, first tier, without free tier and savings plans, processors arm64 where there is a choice (the template's
//! default). They were read on [`PRICES_READ`] from stored copies of AWS's pages and of guides that quote them, each row naming the newest
//! with a date; AWS's own price list was not asked.

/// The day on which the table was last compared with its sources.
pub const PRICES_READ: &str = "2026-11-29";

/// What is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Billed {
    /// Calls of functions.
    LambdaCalls,
    /// Seconds of functions times their memory in GiB.
    LambdaGbSeconds,
    /// PUT, COPY, POST and LIST.
    S3Puts,
    /// GET and HEAD. DELETE is free.
    S3Gets,
    /// Objects kept for a month, in GB.
    S3GbMonths,
    /// Units of 1 KB written on demand.
    TableWrites,
    /// Units of 4 KB read on demand. What Lambda reads of a stream is free.
    TableReads,
    /// Rows kept for a month with point-in-time recovery, in GB.
    TableGbMonths,
    /// Requests to standard queues, those of Lambda's pollers among them.
    QueueRequests,
    /// Digests sent by e-mail.
    Emails,
    /// Logs taken in, in GB.
    LogGb,
    /// Traces recorded.
    Traces,
    /// Hours of a processor of the worker, Spot.
    SpotCpuHours,
    /// Hours of a GB of the worker's memory, Spot.
    SpotGbHours,
    /// Images that Rekognition looks at, once for each kind of finding.
    RecognisedImages,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// What is billed.
    pub billed: Billed,
    /// The service that bills it.
    pub service: &'static str,
    /// What is counted, in words.
    pub what: &'static str,
    /// US dollars for `per` of it.
    pub usd: f64,
    /// How many cost that.
    pub per: f64,
    /// Who says so, and when.
    pub source: &'static str,
}

/// Every price, by service.
pub const PRICES: &[Price] = &[
    price(Billed::LambdaCalls, "Lambda", "calls", 0.20, 1e6, LAMBDA),
    price(Billed::LambdaGbSeconds, "Lambda", "GB-seconds", 13.333_4, 1e6, LAMBDA),
    price(Billed::S3Puts, "S3", "PUT, COPY, LIST", 0.005, 1e3, "c3x.dev/blog/s3-request-fees-explained, 2026"),
    price(Billed::S3Gets, "S3", "GET, HEAD", 0.000_4, 1e3, "c3x.dev/blog/s3-request-fees-explained, 2026"),
    price(Billed::S3GbMonths, "S3", "GB kept, each month", 0.023, 1.0, "devnotes.tech, AWS S3 pricing"),
    price(Billed::TableWrites, "DynamoDB", "write units", 0.625, 1e6, DYNAMODB),
    price(Billed::TableReads, "DynamoDB", "read units", 0.125, 1e6, DYNAMODB),
    price(
        Billed::TableGbMonths,
        "DynamoDB",
        "GB kept, each month",
        0.45,
        1.0,
        "aws.amazon.com/dynamodb/pricing: 0.25, recovery 0.20",
    ),
    price(Billed::QueueRequests, "SQS", "requests", 0.40, 1e6, "cloudburn.io/blog/amazon-sqs-pricing, March 2026"),
    price(
        Billed::Emails,
        "SNS",
        "e-mails",
        2.0,
        1e5,
        "factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols, 2026",
    ),
    price(Billed::LogGb, "CloudWatch", "GB of logs", 0.50, 1.0, "cloudburn.io/blog/amazon-cloudwatch-pricing, February 2026"),
    price(Billed::Traces, "X-Ray", "traces", 5.0, 1e6, "aws.amazon.com/xray/pricing"),
    price(Billed::SpotCpuHours, "Fargate Spot", "vCPU-hours", 0.032_38 * SPOT, 1.0, FARGATE),
    price(Billed::SpotGbHours, "Fargate Spot", "GB-hours", 0.003_56 * SPOT, 1.0, FARGATE),
    price(Billed::RecognisedImages, "Rekognition", "images", 0.001, 1.0, "aws.amazon.com/rekognition/pricing, groups 1 and 2"),
];

const LAMBDA: &str = "cloudchipr.com/blog/aws-lambda-pricing, 2024; aws.amazon.com/lambda/pricing";
const DYNAMODB: &str = "airbyte.com/data-engineering-resources/dynamodb-pricing, July 2025";
const FARGATE: &str = "vantage.sh/blog/fargate-pricing; fortem.dev/fargate-spot: 50 to 70 % below, which varies";
/// The dearer end of what Spot costs of the price on demand.
const SPOT: f64 = 0.5;

const fn price(billed: Billed, service: &'static str, what: &'static str, usd: f64, per: f64, source: &'static str) -> Price {
    Price { billed, service, what, usd, per, source }
}

impl Billed {
    /// Its row of the table.
    pub fn price(self) -> &'static Price {
        PRICES.iter().find(|price| price.billed == self).expect("every kind has a price")
    }

    /// What so many of it cost, in millionths of a US dollar.
    pub fn microusd(self, count: f64) -> f64 {
        let Price { usd, per, .. } = self.price();
        count / per * usd * 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_once_in_the_table_and_in_its_place() {
        // The enumeration's order is the table's: a kind without a row would shift all behind it.
        let last = Billed::RecognisedImages as usize;
        assert_eq!(PRICES.iter().map(|price| price.billed as usize).collect::<Vec<_>>(), (0..=last).collect::<Vec<_>>());
        assert!(PRICES.iter().all(|price| price.usd > 0.0 && price.per >= 1.0 && !price.source.is_empty()));
    }

    #[test]
    fn counts_become_money() {
        assert!((Billed::S3Puts.microusd(7.0) - 35.0).abs() < 1e-9);
        assert!((Billed::LambdaGbSeconds.microusd(1.0) - 13.3334).abs() < 1e-9);
    }
}
